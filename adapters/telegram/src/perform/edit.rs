//! Edits of messages, with all of their parts. Missing parts are sent, surplus ones are deleted.

use palabre_types::{ActionError, Content, Outcome};
use serde_json::{Map, Value, json};

use super::part::{Part, add};
use super::place::{Place, in_topic};
use crate::api::ApiError;
use crate::buttons::keyboard;
use crate::cache::Parts;
use crate::encode::{CAPTION_MAX, TEXT_MAX, rich};
use crate::telegram::Telegram;
use crate::text::{Rich, cut_within};

impl Telegram {
    pub(super) async fn edit(&self, (chat, topic): Place, id: i64, content: &Content) -> Result<Outcome, ActionError> {
        let (markup, kept) = keyboard(content)?;
        self.keep_buttons(kept).await?;
        let rich = rich(&self.cache, content);
        if rich.text.trim().is_empty() {
            return Err(ActionError::Rejected("a message cannot become empty".to_owned()));
        }
        let (head, mut parts) = {
            let state = self.cache.lock();
            (state.composed.head_of(chat, id), state.composed.parts_of(chat, id))
        };
        if parts.texts.is_empty() {
            // A message of files without text.
            parts.texts.push(head);
            parts.has_caption = true;
        }
        let mut pieces = pieces(&rich, parts.has_caption);
        let mut changed = self.change_texts(chat, head, &parts, &pieces, markup.as_ref()).await;
        if matches!(&changed, Err(error) if !parts.has_caption && error.says("no text in the message")) {
            // The text is the caption of a file.
            parts.has_caption = true;
            pieces = self::pieces(&rich, true);
            changed = self.change_texts(chat, head, &parts, &pieces, markup.as_ref()).await;
        }
        let kept = changed.map_err(|error| {
            if error.says("can't be edited") {
                ActionError::Forbidden("only the bot's own messages can be edited".to_owned())
            } else {
                error.into()
            }
        })?;
        let surplus: Vec<i64> = parts.texts.iter().filter(|id| !kept.contains(id)).copied().collect();
        let missing = pieces.split_off(kept.len());
        self.add_texts((chat, topic), head, &mut parts, missing, markup.as_ref()).await?;
        self.remove_texts(chat, head, parts, &surplus).await?;
        Ok(Outcome::default())
    }

    /// Edits the messages that carry the text, as far as there are pieces. Returns their ids.
    async fn change_texts(
        &self,
        chat: i64,
        head: i64,
        parts: &Parts,
        pieces: &[Rich],
        markup: Option<&Value>,
    ) -> Result<Vec<i64>, ApiError> {
        let kept = kept(parts, head, pieces.len());
        for (index, (id, piece)) in kept.iter().zip(pieces).enumerate() {
            let (method, text, entities) = if index == 0 && parts.has_caption {
                ("editMessageCaption", "caption", "caption_entities")
            } else {
                ("editMessageText", "text", "entities")
            };
            let mut body =
                Map::from_iter([("chat_id".to_owned(), chat.into()), ("message_id".to_owned(), (*id).into())]);
            add(&mut body, text, entities, piece);
            // Buttons belong below the last part.
            let shown = markup.filter(|_| index + 1 == pieces.len()).cloned();
            body.insert("reply_markup".to_owned(), shown.unwrap_or_else(|| json!({ "inline_keyboard": [] })));
            match self.in_chat(chat, method, Value::Object(body)).await {
                Ok(_) | Err(ApiError::Unchanged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    /// Sends the pieces for which there is no message yet.
    ///
    /// Each is recorded at once, so that a repetition does not send it again.
    async fn add_texts(
        &self,
        (chat, topic): Place,
        head: i64,
        parts: &mut Parts,
        pieces: Vec<Rich>,
        markup: Option<&Value>,
    ) -> Result<(), ActionError> {
        let count = pieces.len();
        for (index, piece) in pieces.into_iter().enumerate() {
            // An edit notifies nobody.
            let mut about = json!({ "chat_id": chat, "disable_notification": true });
            in_topic(&mut about, topic);
            if let Some(markup) = markup.filter(|_| index + 1 == count) {
                about["reply_markup"] = markup.clone();
            }
            let _turn = self.pacer.wait(chat, 1).await;
            for id in self.send_part(chat, about, Part::Text(piece)).await? {
                parts.add(id);
                parts.texts.push(id);
            }
            self.remember_parts(chat, head, parts.clone()).await;
        }
        Ok(())
    }

    /// Deletes the messages for which there is no text any more.
    async fn remove_texts(&self, chat: i64, head: i64, mut parts: Parts, surplus: &[i64]) -> Result<(), ActionError> {
        if surplus.is_empty() {
            return Ok(());
        }
        self.remove(chat, surplus.to_vec()).await?;
        self.cache.lock().forget(chat, surplus);
        parts.ids.retain(|id| !surplus.contains(id));
        parts.texts.retain(|id| !surplus.contains(id));
        self.remember_parts(chat, head, parts).await;
        Ok(())
    }
}

/// Cuts the text into pieces: the first for a caption, if there is one, the others for messages.
fn pieces(rich: &Rich, has_caption: bool) -> Vec<Rich> {
    cut_within(rich, if has_caption { CAPTION_MAX } else { TEXT_MAX }, TEXT_MAX)
}

/// Returns the messages that carry `count` pieces from now on.
///
/// The head of the message is among them if it carries text.
fn kept(parts: &Parts, head: i64, count: usize) -> Vec<i64> {
    let mut kept: Vec<i64> = parts.texts.iter().take(count).copied().collect();
    if parts.texts.contains(&head)
        && !kept.contains(&head)
        && let Some(last) = kept.last_mut()
    {
        *last = head;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_kept_the_longest() {
        let parts = |texts: &[i64]| Parts { ids: texts.to_vec(), texts: texts.to_vec(), has_caption: false };
        assert_eq!(kept(&parts(&[1, 2, 3]), 3, 5), [1, 2, 3]);
        assert_eq!(kept(&parts(&[1, 2, 3]), 3, 2), [1, 3]);
        assert_eq!(kept(&parts(&[1, 2, 3]), 3, 1), [3]);
        assert_eq!(kept(&parts(&[1, 2, 3]), 1, 2), [1, 2]);
        // The head is a poll after the text.
        assert_eq!(kept(&parts(&[1, 2]), 9, 1), [1]);
    }
}
