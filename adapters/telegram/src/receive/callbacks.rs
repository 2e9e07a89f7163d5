//! Button presses: their meaning, and their acknowledgement to Telegram.
//!
//! Nothing here waits for the network: other users press buttons too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::buttons::stored::Stored;
use crate::buttons::{self, Toggle};
use crate::decode::Pressed;
use crate::frames::Callback;
use crate::telegram::Telegram;

/// Time without an answer after which a press is acknowledged.
const ACKNOWLEDGE_DELAY: Duration = Duration::from_millis(1_500);

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
        self.background_tasks.spawn(async move {
            if let Err(error) = telegram.api.call("editMessageReplyMarkup", body).await {
                tracing::debug!(bot = %telegram.cache.bot(), "a selection could not be shown: {error}");
            }
            telegram.answer_callback(&id, None).await;
        });
    }

    /// Acknowledges a press after a delay, unless a script answers it before.
    fn acknowledge(self: &Arc<Self>, id: &str, words: Option<String>, after: Duration) {
        let (telegram, id) = (Arc::clone(self), id.to_owned());
        self.background_tasks.spawn(async move {
            tokio::time::sleep(after).await;
            telegram.answer_callback(&id, words.as_deref()).await;
        });
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
