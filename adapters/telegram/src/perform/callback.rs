//! Answers to button presses, as Telegram expects them: one per press.

use std::time::Duration;

use serde_json::{Value, json};

use crate::telegram::Telegram;

/// Maximum time for an answer to a press; after that, nobody looks.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Telegram {
    /// Answers a press, once: with a text that is shown to the user, or without.
    pub(crate) async fn answer_callback(&self, id: &str, words: Option<&str>) -> bool {
        self.answer_callback_with(
            id,
            words.map_or_else(|| json!({}), |words| json!({ "text": words, "show_alert": true })),
        )
        .await
    }

    /// Answers a press, once, by opening a link to the bot. Returns `false` if that is too late.
    pub(crate) async fn lead_by_callback(&self, id: &str, link: &str) -> bool {
        self.answer_callback_with(id, json!({ "url": link })).await
    }

    async fn answer_callback_with(&self, id: &str, mut body: Value) -> bool {
        if !self.callbacks.take(id) {
            return false;
        }
        body["callback_query_id"] = id.into();
        match tokio::time::timeout(ANSWER_TIMEOUT, self.api.call_with_retry("answerCallbackQuery", body)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::debug!(bot = %self.cache.bot(), "a button press could not be answered: {error}");
                false
            }
            Err(_) => false,
        }
    }
}
