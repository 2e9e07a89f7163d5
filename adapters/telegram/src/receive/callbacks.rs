//! Buttons that were pressed: what they stand for, and that Telegram is told that they were. Nothing here waits for the network: others
//! press too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Telegram;
use crate::buttons::{self, Stored, Toggle};
use crate::decode::Pressed;
use crate::frames::Callback;

/// After so long without an answer the button stops turning.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// How long an answer to a press may take: after that nobody looks.
const LATE: Duration = Duration::from_secs(10);

impl Telegram {
    /// What the button stands for; `None` where scripts have nothing to do with it.
    pub(super) async fn meant(self: &Arc<Self>, callback: &Callback) -> Option<Pressed> {
        let Some(data) = callback.data.as_deref().filter(|data| is_there(callback, data)) else {
            // A game, or a button that the message does not have: clients can be made to say anything.
            self.acknowledge(&callback.id, None, Duration::ZERO);
            return None;
        };
        let Some(buttons::Reference { key, part }) = buttons::reference(data) else {
            self.acknowledge(&callback.id, None, PATIENCE);
            return Some(Pressed::Button { action: data.to_owned() });
        };
        match self.stored(&key).await {
            Some(Stored::Button { action }) => {
                self.acknowledge(&callback.id, None, PATIENCE);
                Some(Pressed::Button { action })
            }
            Some(Stored::Select(select)) => {
                let shown = callback.message.as_ref().and_then(|message| message.reply_markup.as_ref());
                match buttons::toggle(&select, &key, part, shown) {
                    Toggle::Chosen(values) => {
                        self.acknowledge(&callback.id, None, PATIENCE);
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
            // It leads to nothing any more.
            Some(Stored::Poll { .. }) | None => {
                self.acknowledge(&callback.id, None, Duration::ZERO);
                None
            }
        }
    }

    /// Marks what is chosen so far, and then answers: the next press is told with what is shown.
    fn show_choice(self: &Arc<Self>, callback: &Callback, markup: Value) {
        let Some(message) = &callback.message else { return };
        let body = json!({ "chat_id": message.chat.id, "message_id": message.message_id, "reply_markup": markup });
        let (telegram, id) = (Arc::clone(self), callback.id.clone());
        self.beside(async move {
            if let Err(error) = telegram.api.call("editMessageReplyMarkup", body).await {
                tracing::debug!(bot = %telegram.world.bot(), "a choice could not be shown: {error}");
            }
            telegram.answer_callback(&id, None).await;
        });
    }

    /// Tells Telegram that the button was pressed, after a while, unless an answer of a script does so before.
    fn acknowledge(self: &Arc<Self>, id: &str, words: Option<String>, after: Duration) {
        let (telegram, id) = (Arc::clone(self), id.to_owned());
        self.beside(async move {
            tokio::time::sleep(after).await;
            telegram.answer_callback(&id, words.as_deref()).await;
        });
    }

    /// Answers a press, once: with words that are shown to whoever pressed, or without.
    pub(crate) async fn answer_callback(&self, id: &str, words: Option<&str>) -> bool {
        self.answer_callback_with(
            id,
            words.map_or_else(|| json!({}), |words| json!({ "text": words, "show_alert": true })),
        )
        .await
    }

    /// Answers a press, once, by opening a link to the bot. `false` where that cannot be done any more.
    pub(crate) async fn lead_by_callback(&self, id: &str, link: &str) -> bool {
        self.answer_callback_with(id, json!({ "url": link })).await
    }

    async fn answer_callback_with(&self, id: &str, mut body: Value) -> bool {
        if !self.callbacks.take(id) {
            return false;
        }
        body["callback_query_id"] = id.into();
        match tokio::time::timeout(LATE, self.api.insist("answerCallbackQuery", body)).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => {
                tracing::debug!(bot = %self.world.bot(), "a press could not be answered: {error}");
                false
            }
            Err(_) => false,
        }
    }
}

/// Whether the message has such a button. One that is too old to be told, which has no date then, is believed.
/// <https://core.telegram.org/bots/api#inaccessiblemessage>
fn is_there(callback: &Callback, data: &str) -> bool {
    let Some(message) = &callback.message else { return false };
    let Some(markup) = &message.reply_markup else { return message.date == 0 };
    markup.inline_keyboard.iter().flatten().any(|button| button.callback_data.as_deref() == Some(data))
}
