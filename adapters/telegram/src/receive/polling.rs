//! Long polling.
//!
//! A request for the next updates confirms those before, so it waits until they are durable.

use std::time::Duration;

use palabre_platform::{AdapterError, Backoff, Condition, Delays, jittered};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::incoming::{ALLOWED_UPDATES, Incoming};
use crate::api::ApiError;
use crate::telegram::Telegram;

/// Maximum number of updates per request. <https://core.telegram.org/bots/api#getupdates>
const UPDATES_MAX: u32 = 100;
/// Time for which Telegram holds back a response without updates.
const LONG_POLL_TIME: Duration = Duration::from_secs(50);
/// Unreadable responses until updates are requested singly; after twice as many, one is skipped.
const GARBLED_MAX: u32 = 1;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);
const RETRY_BACKOFF: Backoff = Backoff::new(RETRY_DELAY_MIN, Duration::from_secs(60));

/// The state of polling.
struct Polling<'t> {
    telegram: &'t Telegram,
    sender: mpsc::Sender<Incoming>,
    /// The first update to request; `None` if any number may come.
    offset: Option<i64>,
    delays: Delays,
    /// The number of unreadable responses in a row.
    garbled: u32,
    is_lost: bool,
    /// Whether the last request was answered.
    is_answered: bool,
}

/// The receiver of updates has ended.
struct ReceiverEnded;

/// Polls until the token is refused, which has been checked with `getMe`, or the receiver is gone.
pub(super) async fn poll(telegram: &Telegram, sender: mpsc::Sender<Incoming>, from: Option<i64>) -> AdapterError {
    let (delays, garbled) = (RETRY_BACKOFF.delays(), 0);
    let mut polling = Polling { telegram, sender, offset: from, delays, garbled, is_lost: false, is_answered: false };
    // Telegram refuses polling while a webhook is set.
    if let Err(error) = telegram.api.call_with_retry("deleteWebhook", json!({})).await {
        tracing::warn!(bot = %telegram.cache.bot(), "a webhook that may be set cannot be deleted now: {error}");
    }
    loop {
        let handled = match polling.request().await {
            Ok(Value::Array(updates)) => polling.hand_over(updates).await,
            Ok(_) => polling.fail("the response is not a list of updates".to_owned()).await,
            Err(ApiError::Token) => return AdapterError::Refused(ApiError::Token.to_string()),
            Err(ApiError::Limited { retry_after }) => {
                tokio::time::sleep(retry_after).await;
                Ok(())
            }
            Err(error) => {
                let problem = polling.problem(error).await;
                polling.fail(problem).await
            }
        };
        if let Err(ReceiverEnded) = handled {
            return AdapterError::Lost("the receiver of updates has ended".to_owned());
        }
    }
}

impl Polling<'_> {
    /// Requests the next updates.
    async fn request(&self) -> Result<Value, ApiError> {
        // The first request returns at once, to find out whether Telegram answers at all.
        let wait = if self.is_answered { LONG_POLL_TIME } else { Duration::ZERO };
        // An unreadable update hides the others of its response, so they are requested one by one.
        let limit = if self.garbled < GARBLED_MAX { UPDATES_MAX } else { 1 };
        let mut body = json!({ "limit": limit, "timeout": wait.as_secs(), "allowed_updates": ALLOWED_UPDATES });
        if let Some(offset) = self.offset {
            body["offset"] = offset.into();
        }
        self.telegram.api.call_within("getUpdates", body, wait).await
    }

    /// Hands updates over to the receiver, and waits until they are durable.
    async fn hand_over(&mut self, updates: Vec<Value>) -> Result<(), ReceiverEnded> {
        self.delays.reset();
        self.garbled = 0;
        self.is_answered = true;
        self.telegram.report(Condition::Up);
        if std::mem::take(&mut self.is_lost) {
            self.send(Incoming::Back).await?;
        }
        if updates.is_empty() {
            return Ok(());
        }
        let last = updates.iter().filter_map(|update| update["update_id"].as_i64()).max();
        if let (Some(last), Some(asked)) = (last, self.offset)
            && last < asked
        {
            // Another server than before, or one that has lost its state.
            let bot = self.telegram.cache.bot();
            tracing::warn!(%bot, last, asked, "the numbers of updates have started over");
            self.send(Incoming::Renumbered).await?;
        }
        let (taken, is_durable) = oneshot::channel();
        self.send(Incoming::Updates(updates, taken)).await?;
        is_durable.await.map_err(|_closed| ReceiverEnded)?;
        self.offset = last.map(|last| last + 1).or(self.offset);
        if last.is_none() {
            // Without anything to confirm, the same updates would come again at once.
            tokio::time::sleep(RETRY_DELAY_MIN).await;
        }
        Ok(())
    }

    /// Reacts to an error, and describes the problem.
    async fn problem(&mut self, error: ApiError) -> String {
        match error {
            ApiError::Garbled { words, update } => {
                self.garbled += 1;
                self.delays.reset();
                if let (true, Some(next)) = (self.garbled > 2 * GARBLED_MAX, update.or(self.offset)) {
                    let bot = self.telegram.cache.bot();
                    tracing::error!(%bot, update = next, "skipped an update that cannot be read: {words}");
                    self.offset = Some(next + 1);
                    // The next update is requested by itself too.
                    self.garbled = GARBLED_MAX;
                }
                words
            }
            ApiError::Conflict(words) if words.contains("webhook") => {
                drop(self.telegram.api.call_with_retry("deleteWebhook", json!({})).await);
                "somebody had set a webhook for this bot; it was deleted".to_owned()
            }
            ApiError::Conflict(_) => {
                "another process receives with this bot's token; stop it, or give this one a bot of its own".to_owned()
            }
            error => error.to_string(),
        }
    }

    /// Reports that updates cannot be received, and waits before the next attempt.
    async fn fail(&mut self, problem: String) -> Result<(), ReceiverEnded> {
        tracing::warn!(bot = %self.telegram.cache.bot(), "cannot receive updates, retrying: {problem}");
        (self.is_lost, self.is_answered) = (true, false);
        self.telegram.report(Condition::Down(problem.clone()));
        self.send(Incoming::Lost(problem)).await?;
        // Jitter: bots that were disconnected together should not return together.
        let delay = jittered(self.delays.next_delay(), 0.5..1.5, &*self.telegram.entropy);
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn send(&self, incoming: Incoming) -> Result<(), ReceiverEnded> {
        self.sender.send(incoming).await.map_err(|_closed| ReceiverEnded)
    }
}
