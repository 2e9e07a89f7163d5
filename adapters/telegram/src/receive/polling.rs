//! Long polling.
//!
//! A request for the next updates confirms those before, so it waits until they are durable.

use std::time::Duration;

use palabre_model::{AdapterError, Condition};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{ALLOWED_UPDATES, Incoming};
use crate::Telegram;
use crate::api::ApiError;

/// Maximum number of updates per request. <https://core.telegram.org/bots/api#getupdates>
const UPDATES_MAX: u32 = 100;
/// Time for which Telegram holds back a response without updates.
const LONG_POLL_TIME: Duration = Duration::from_secs(50);
/// Unreadable responses until updates are requested singly; after twice as many, one is skipped.
const GARBLED_MAX: u32 = 1;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);

/// Polls until the token is refused, which has been checked with `getMe`, or the receiver is gone.
pub(super) async fn poll(telegram: &Telegram, sender: mpsc::Sender<Incoming>, from: Option<i64>) -> AdapterError {
    let mut offset = from;
    let mut pause = RETRY_DELAY_MIN;
    let (mut is_lost, mut is_answered) = (false, false);
    let mut garbled = 0;
    // Telegram refuses polling while a webhook is set.
    if let Err(error) = telegram.api.call_with_retry("deleteWebhook", json!({})).await {
        tracing::warn!(bot = %telegram.cache.bot(), "a webhook that may be set cannot be deleted now: {error}");
    }
    loop {
        // The first request returns at once, to find out whether Telegram answers at all.
        let wait = if is_answered { LONG_POLL_TIME } else { Duration::ZERO };
        // An unreadable update hides the others of its response, so they are requested one by one.
        let limit = if garbled < GARBLED_MAX { UPDATES_MAX } else { 1 };
        let mut body = json!({ "limit": limit, "timeout": wait.as_secs(), "allowed_updates": ALLOWED_UPDATES });
        if let Some(offset) = offset {
            body["offset"] = offset.into();
        }
        let problem = match telegram.api.call_within("getUpdates", body, wait).await {
            Ok(Value::Array(updates)) => {
                pause = RETRY_DELAY_MIN;
                garbled = 0;
                is_answered = true;
                telegram.report(Condition::Up);
                if std::mem::take(&mut is_lost) && sender.send(Incoming::Back).await.is_err() {
                    break;
                }
                let last = updates.iter().filter_map(|update| update["update_id"].as_i64()).max();
                if updates.is_empty() {
                    continue;
                }
                if let (Some(last), Some(asked)) = (last, offset)
                    && last < asked
                {
                    // Another server than before, or one that has lost its state.
                    tracing::warn!(bot = %telegram.cache.bot(), last, asked, "the numbers of updates have started over");
                    if sender.send(Incoming::Renumbered).await.is_err() {
                        break;
                    }
                }
                let (taken, is_durable) = oneshot::channel();
                if sender.send(Incoming::Updates(updates, taken)).await.is_err() || is_durable.await.is_err() {
                    break;
                }
                offset = last.map(|last| last + 1).or(offset);
                if last.is_none() {
                    // Without anything to confirm, the same updates would come again at once.
                    tokio::time::sleep(pause).await;
                }
                continue;
            }
            Err(ApiError::Garbled { words, update }) => {
                garbled += 1;
                pause = RETRY_DELAY_MIN;
                if let (true, Some(next)) = (garbled > 2 * GARBLED_MAX, update.or(offset)) {
                    tracing::error!(bot = %telegram.cache.bot(), update = next, "skipped an update that cannot be read: {words}");
                    offset = Some(next + 1);
                    // The next update is requested by itself too.
                    garbled = GARBLED_MAX;
                }
                words
            }
            Ok(_) => "the response is not a list of updates".to_owned(),
            Err(ApiError::Token) => return AdapterError::Refused(ApiError::Token.to_string()),
            Err(ApiError::Conflict(words)) if words.contains("webhook") => {
                drop(telegram.api.call_with_retry("deleteWebhook", json!({})).await);
                "somebody had set a webhook for this bot; it was deleted".to_owned()
            }
            Err(ApiError::Conflict(_)) => {
                "another process receives with this bot's token; stop it, or give this one a bot of its own".to_owned()
            }
            Err(ApiError::Limited { retry_after }) => {
                tokio::time::sleep(retry_after).await;
                continue;
            }
            Err(error) => error.to_string(),
        };
        tracing::warn!(bot = %telegram.cache.bot(), "cannot receive updates, retrying: {problem}");
        (is_lost, is_answered) = (true, false);
        telegram.report(Condition::Down(problem.clone()));
        if sender.send(Incoming::Lost(problem)).await.is_err() {
            break;
        }
        // Jitter: bots that were disconnected together should not return together.
        let jitter = telegram.entropy.next() as f64 / u64::MAX as f64;
        tokio::time::sleep(pause.mul_f64(0.5 + jitter)).await;
        pause = (pause * 2).min(RETRY_DELAY_MAX);
    }
    AdapterError::Lost("the receiver of updates has ended".to_owned())
}
