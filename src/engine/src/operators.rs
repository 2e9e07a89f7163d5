//! Messages to the operator.

use std::sync::Arc;

use palabre_fetch::Grants;
use palabre_platform::TrackedTasks;
use palabre_types::{Request, RoomId};
use serde_json::json;

use crate::http::Http;

/// Destinations of messages to the operator about scripts that keep failing.
#[derive(Debug, Clone, Default)]
pub struct Operators {
    /// A room of one of the bots.
    pub room: Option<RoomId>,
    /// A URL that accepts a POST of `{"text": …}`.
    pub webhook: Option<String>,
}

impl Operators {
    /// Posts `text` to the webhook, if there is one. Failures are logged.
    pub(crate) fn post(&self, text: &str, http: &Arc<dyn Http>, background: &TrackedTasks) {
        let Some(url) = self.webhook.clone() else { return };
        let request = Request {
            method: "POST".to_owned(),
            url: url.clone(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            // Discord's webhooks read `content`, most others `text`.
            body: Some(json!({ "text": text, "content": text }).to_string().into_bytes()),
            timeout: std::time::Duration::from_secs(10),
        };
        let http = Arc::clone(http);
        let posting = async move {
            let grants = match Grants::of_url(&url) {
                Ok(grants) => grants,
                Err(error) => return tracing::error!("the operators' webhook cannot be used: {error}"),
            };
            match http.fetch(&request, &grants).await {
                Ok(reply) if reply.status < 300 => {}
                Ok(reply) => tracing::error!(status = reply.status, "the operators' webhook refused the message"),
                Err(error) => tracing::error!("the operators' webhook was not reached: {error}"),
            }
        };
        background.spawn(posting);
    }
}
