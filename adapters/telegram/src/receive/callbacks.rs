//! Buttons that were pressed: what they stand for, and that Telegram is told that they were.

use std::time::Duration;

use serde_json::json;

use crate::Telegram;
use crate::buttons::{self, Stored, Toggle};
use crate::decode::Pressed;
use crate::frames::Callback;

/// After so long without an answer the button stops turning.
const PATIENCE: Duration = Duration::from_millis(1_500);

impl Telegram {
    /// What the button stands for; `None` where scripts have nothing to do with it.
    pub(super) async fn meant(self: &std::sync::Arc<Self>, callback: &Callback) -> Option<Pressed> {
        let data = callback.data.as_deref()?;
        let Some(reference) = buttons::reference(data) else {
            self.acknowledge_later(&callback.id);
            return Some(Pressed::Button { action: data.to_owned() });
        };
        let buttons::Reference { key, part } = reference;
        let stored = self.stored(&key).await;
        let pressed = match (stored, part) {
            (Some(Stored::Button { action }), _) => Some(Pressed::Button { action }),
            (Some(Stored::Select(select)), part) => {
                let shown = callback.message.as_ref().and_then(|message| message.reply_markup.as_ref());
                match buttons::toggle(&select, &key, part, shown) {
                    Toggle::Chosen(values) => Some(Pressed::Select { action: select.action, values }),
                    Toggle::Shown(markup) => {
                        // Marked before it is answered: the next press is told with what is shown.
                        self.show_choice(callback, markup).await;
                        self.answer_callback(&callback.id, None).await;
                        return None;
                    }
                    Toggle::Refused(words) => {
                        self.answer_callback(&callback.id, Some(&words)).await;
                        return None;
                    }
                }
            }
            (Some(Stored::Poll { .. }) | None, _) => None,
        };
        match &pressed {
            Some(_) => self.acknowledge_later(&callback.id),
            None => drop(self.answer_callback(&callback.id, None).await),
        }
        pressed
    }

    async fn show_choice(&self, callback: &Callback, markup: serde_json::Value) {
        let Some(message) = &callback.message else { return };
        let body = json!({ "chat_id": message.chat.id, "message_id": message.message_id, "reply_markup": markup });
        if let Err(error) = self.api.call("editMessageReplyMarkup", body).await {
            tracing::debug!(bot = %self.world.bot(), "a choice could not be shown: {error}");
        }
    }

    /// Tells Telegram that the button was pressed, unless an answer of a script does so before.
    fn acknowledge_later(self: &std::sync::Arc<Self>, id: &str) {
        let (telegram, id) = (std::sync::Arc::clone(self), id.to_owned());
        self.beside(async move {
            tokio::time::sleep(PATIENCE).await;
            telegram.answer_callback(&id, None).await;
        });
    }

    /// Answers a press, once: with words that are shown to whoever pressed, or without.
    pub(crate) async fn answer_callback(&self, id: &str, words: Option<&str>) -> bool {
        if !self.callbacks.take(id) {
            return false;
        }
        let mut body = json!({ "callback_query_id": id });
        if let Some(words) = words {
            body["text"] = words.into();
            body["show_alert"] = true.into();
        }
        match self.api.insist("answerCallbackQuery", body).await {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(bot = %self.world.bot(), "a press could not be answered: {error}");
                false
            }
        }
    }
}
