//! Button presses: their meaning, and their acknowledgement to Telegram.
//!
//! Nothing here waits for the network: other users press buttons too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Telegram;
use crate::buttons::{self, Stored, Toggle};
use crate::decode::Pressed;
use crate::frames::Callback;

/// Time without an answer after which a press is acknowledged.
const ACKNOWLEDGE_DELAY: Duration = Duration::from_millis(1_500);
/// Maximum time for an answer to a press; after that, nobody looks.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl Telegram {
    /// Returns the meaning of the button; `None` if it does not concern scripts.
    pub(super) async fn meaning_of(self: &Arc<Self>, callback: &Callback) -> Option<Pressed> {
        let Some(data) = callback.data.as_deref().filter(|data| is_there(callback, data)) else {
            // A game, or a button that the message does not have: clients can send any data.
            self.acknowledge(&callback.id, None, Duration::ZERO);
            return None;
        };
        let Some(buttons::Reference { key, part }) = buttons::reference(data) else {
            self.acknowledge(&callback.id, None, ACKNOWLEDGE_DELAY);
            return Some(Pressed::Button { action: data.to_owned() });
        };
        match self.stored(&key).await {
            Some(Stored::Button { action }) => {
                self.acknowledge(&callback.id, None, ACKNOWLEDGE_DELAY);
                Some(Pressed::Button { action })
            }
            Some(Stored::Select(select)) => {
                let shown = callback.message.as_ref().and_then(|message| message.reply_markup.as_ref());
                match buttons::toggle(&select, &key, part, shown) {
                    Toggle::Chosen(values) => {
                        self.acknowledge(&callback.id, None, ACKNOWLEDGE_DELAY);
                        Some(Pressed::Select { action: select.action, values })
                    }
                    Toggle::Shown(markup) => {
                        self.show_choice(callback, markup);
                        None
                    }
                    Toggle::Refused(words) => {
                        self.acknowledge(&callback.id, Some(words), Duration::ZERO);
                        None
                    }
                }
            }
            // The stored data has expired.
            Some(Stored::Poll { .. }) | None => {
                self.acknowledge(&callback.id, None, Duration::ZERO);
                None
            }
        }
    }

    /// Ticks the choices so far, and acknowledges the press after that.
    ///
    /// In this order, the next press comes with the updated keyboard.
    fn show_choice(self: &Arc<Self>, callback: &Callback, markup: Value) {
        let Some(message) = &callback.message else { return };
        let body = json!({ "chat_id": message.chat.id, "message_id": message.message_id, "reply_markup": markup });
        let (telegram, id) = (Arc::clone(self), callback.id.clone());
        self.spawn_background(async move {
            if let Err(error) = telegram.api.call("editMessageReplyMarkup", body).await {
                tracing::debug!(bot = %telegram.cache.bot(), "a selection could not be shown: {error}");
            }
            telegram.answer_callback(&id, None).await;
        });
    }

    /// Acknowledges a press after a delay, unless a script answers it before.
    fn acknowledge(self: &Arc<Self>, id: &str, words: Option<String>, after: Duration) {
        let (telegram, id) = (Arc::clone(self), id.to_owned());
        self.spawn_background(async move {
            tokio::time::sleep(after).await;
            telegram.answer_callback(&id, words.as_deref()).await;
        });
    }

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

/// Whether the message has this button.
///
/// Telegram leaves out the buttons, and the date, of a message that is too old. It is trusted then.
/// <https://core.telegram.org/bots/api#inaccessiblemessage>
fn is_there(callback: &Callback, data: &str) -> bool {
    let Some(message) = &callback.message else { return false };
    let Some(markup) = &message.reply_markup else { return message.date == 0 };
    markup.inline_keyboard.iter().flatten().any(|button| button.callback_data.as_deref() == Some(data))
}
