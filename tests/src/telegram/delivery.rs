//! Delivery by webhook: updates are posted to the bot one after another, and retried after a failure.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use palabre_platform::Backoff;
use serde_json::Value;

use super::shared::Shared;
use super::webhook::Webhook;

/// The maximum pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The maximum time for a bot to accept an update.
const POST_TIMEOUT: Duration = Duration::from_secs(10);

/// Posts updates for as long as it is polled.
pub(super) async fn run(shared: Arc<Shared>) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut changed = shared.changes.subscribe();
    let mut delays = Backoff::new(shared.options.webhook_pause, PAUSE_MAX).delays();
    loop {
        changed.mark_unchanged();
        let next = shared.change_silently(|state| {
            let is_set = !state.webhook.url.is_empty();
            is_set.then(|| (state.webhook.clone(), state.take_updates(1).pop()))
        });
        let Some((hook, Some(update))) = next else {
            if changed.changed().await.is_err() {
                return;
            }
            continue;
        };
        match post(&client, &hook, &update).await {
            Ok(()) => {
                delays.reset();
                let id = update["update_id"].as_i64().unwrap_or_default();
                shared.change(|state| {
                    state.counters.webhook_posts += 1;
                    state.webhook.error = None;
                    state.confirm(id + 1);
                });
            }
            Err(reason) => {
                shared.change(|state| {
                    state.counters.webhook_posts += 1;
                    state.counters.webhook_failures += 1;
                    state.webhook.error = Some((state.seconds(), reason));
                });
                let pause = delays.next_delay();
                let is_other = |shared: &Shared| shared.change_silently(|state| state.webhook.number != hook.number);
                let is_set_anew = async { while !is_other(&shared) && changed.changed().await.is_ok() {} };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = is_set_anew => delays.reset(),
                }
            }
        }
    }
}

async fn post(client: &Client<HttpConnector, Body>, hook: &Webhook, update: &Value) -> Result<(), String> {
    let mut request = Request::post(&hook.url).header(header::CONTENT_TYPE, "application/json");
    if let Some(secret) = &hook.secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let request = request.body(Body::from(update.to_string())).map_err(|error| error.to_string())?;
    match tokio::time::timeout(POST_TIMEOUT, client.request(request)).await {
        Ok(Ok(response)) if response.status().is_success() => Ok(()),
        Ok(Ok(response)) => Err(format!("Wrong response from the webhook: {}", status(response.status()))),
        Ok(Err(_)) => Err("Connection refused".to_owned()),
        Err(_) => Err("Read timeout expired".to_owned()),
    }
}

fn status(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}
