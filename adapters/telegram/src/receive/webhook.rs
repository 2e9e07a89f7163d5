//! Updates by webhook, through the daemon's own server. They are confirmed once they are durable.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use palabre_platform::{AdapterError, Condition};
use palabre_types::{Body, Endpoint};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{mpsc, oneshot};

use super::incoming::{ALLOWED_UPDATES, Incoming};
use crate::api::ApiError;
use crate::lenient::regular;
use crate::telegram::Telegram;

/// The webhook endpoint, as the description of the server shows it.
pub const WEBHOOK: Endpoint = Endpoint::new(
    "POST",
    "/telegram/{bot}",
    "An update from Telegram, with the secret that the bot has set",
    &[(200, "The update was accepted"), (401, "The secret is wrong"), (503, "Not now; send the update again")],
)
.with_body(Some(Body { media: &["application/json"], fields: None, is_closed: false }));

/// Header with the secret. <https://core.telegram.org/bots/api#setwebhook>
const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// Maximum size of an update, in bytes.
const BODY_SIZE_MAX: usize = 1 << 20;
/// Interval at which the webhook is set again.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(600);
/// Maximum wait at shutdown until the webhook is deleted.
const DELETE_TIMEOUT: Duration = Duration::from_secs(3);
const RETRY_DELAY: Duration = Duration::from_secs(15);

/// The handler of webhook requests.
#[derive(Clone)]
struct WebhookHandler {
    telegram: Arc<Telegram>,
}

impl Telegram {
    /// Returns the webhook route for the daemon's server, or `None` when the bot polls.
    #[must_use]
    pub fn router(self: &Arc<Self>) -> Option<Router> {
        self.config.webhook.as_ref().map(|_| WebhookHandler { telegram: Arc::clone(self) }.router())
    }
}

impl WebhookHandler {
    fn router(self) -> Router {
        let path = format!("/telegram/{}", self.telegram.cache.bot());
        Router::new().route(&path, post(receive_update)).layer(DefaultBodyLimit::max(BODY_SIZE_MAX)).with_state(self)
    }
}

async fn receive_update(State(handler): State<WebhookHandler>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let shown = headers.get(SECRET_HEADER).map(|value| value.as_bytes()).unwrap_or_default();
    // Compares digests, so that the time that it takes reveals nothing.
    if Sha256::digest(shown) != Sha256::digest(handler.telegram.secret.as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    let update = match serde_json::from_slice::<Value>(&body) {
        Ok(mut update) => {
            regular(&mut update);
            update
        }
        Err(error) => {
            // If it were refused, it would come again for ever, and block all updates after it.
            let (bot, kind) = (handler.telegram.cache.bot(), error.classify());
            tracing::error!(%bot, "skipped an update that cannot be read ({kind:?}, at {})", error.column());
            return StatusCode::OK;
        }
    };
    let Some(sender) = handler.telegram.webhook.borrow().clone() else { return StatusCode::SERVICE_UNAVAILABLE };
    let (taken, is_durable) = oneshot::channel();
    let sent = sender.send(Incoming::Updates(vec![update], taken)).await;
    if sent.is_ok() && is_durable.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Sets the webhook, and keeps it set until the token is refused.
pub(super) async fn listen(telegram: &Telegram, url: &str, sender: mpsc::Sender<Incoming>) -> AdapterError {
    let url = format!("{}/telegram/{}", url.trim_end_matches('/'), telegram.cache.bot());
    // A single connection keeps the updates in order.
    let wanted = json!({
        "url": url, "secret_token": telegram.secret, "max_connections": 1, "allowed_updates": ALLOWED_UPDATES,
    });
    telegram.webhook.send_replace(Some(sender.clone()));
    let mut is_lost = false;
    loop {
        match telegram.api.call("setWebhook", wanted.clone()).await {
            Ok(_) => {
                telegram.report(Condition::Up);
                if std::mem::take(&mut is_lost) && sender.send(Incoming::Back).await.is_err() {
                    break;
                }
                tokio::time::sleep(RENEWAL_INTERVAL).await;
            }
            Err(ApiError::Token) => return AdapterError::Refused(ApiError::Token.to_string()),
            Err(error) => {
                tracing::warn!(bot = %telegram.cache.bot(), "the webhook cannot be set, retrying: {error}");
                is_lost = true;
                telegram.report(Condition::Down(error.to_string()));
                if sender.send(Incoming::Lost(error.to_string())).await.is_err() {
                    break;
                }
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
    }
    AdapterError::Lost("the receiver of updates has ended".to_owned())
}

/// Deletes the webhook. From now on, Telegram keeps the updates.
pub(super) async fn delete(telegram: &Telegram) {
    telegram.webhook.send_replace(None);
    match tokio::time::timeout(DELETE_TIMEOUT, telegram.api.call("deleteWebhook", json!({}))).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(bot = %telegram.cache.bot(), "the webhook could not be deleted: {error}");
        }
        Err(_) => tracing::warn!(bot = %telegram.cache.bot(), "the webhook could not be deleted in time"),
    }
}
