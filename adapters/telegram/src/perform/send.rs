//! Sending of messages.

use std::sync::PoisonError;

use palabre_types::{ActionError, ActionKey, Batch, Content, Outcome};
use serde_json::{Map, Value, json};

use super::part::{Part, add, divide, poll_body, upload};
use super::place::{Place, in_topic};
use super::progress::Progress;
use crate::buttons::keyboard;
use crate::cache::{ChatKind, Parts};
use crate::encode::{Kind, rich};
use crate::requests::id_of;
use crate::telegram::Telegram;

impl Telegram {
    /// Sends content to a chat, in several messages if it is long or has several files.
    ///
    /// The last message stands for all; of an album it is the one with the caption.
    pub(crate) async fn send(
        &self,
        (chat, topic): Place,
        content: &Content,
        reply_to: Option<i64>,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        let (markup, kept) = keyboard(content)?;
        self.keep_buttons(kept).await?;
        let parts = divide(&rich(&self.cache, content), content, markup.is_some())?;
        let mut progress = self.progress_of(key, chat);
        let count = parts.len();
        for (index, part) in parts.into_iter().enumerate().skip(progress.done) {
            let mut about = json!({ "chat_id": chat });
            in_topic(&mut about, topic);
            if content.silent {
                about["disable_notification"] = true.into();
            }
            if let (0, Some(message)) = (index, reply_to) {
                // If the message to reply to is gone, it is sent without a reply.
                about["reply_parameters"] = json!({ "message_id": message, "allow_sending_without_reply": true });
            }
            if let (true, Some(markup)) = (index + 1 == count, &markup) {
                about["reply_markup"] = markup.clone();
            }
            let _turn = self.pacer.wait(chat, part.messages()).await;
            let carries = part.carries();
            let ids = self.send_part(chat, about, part).await?;
            progress.add(carries, &ids);
            self.progress.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), progress.clone());
        }
        let Progress { head: Some(head), parts, .. } = progress else { return Ok(Outcome::default()) };
        if parts.ids.len() > 1 {
            // To scripts they are one message: an action on one part applies to all.
            self.remember_parts(chat, head, parts).await;
        }
        Ok(Outcome { message: Some(self.cache.lock().message_id(chat, head)) })
    }

    /// Sends one part, and returns the messages that it became.
    pub(super) async fn send_part(&self, chat: i64, about: Value, part: Part) -> Result<Vec<i64>, ActionError> {
        let _sending = self.in_flight.begin(chat);
        let mut body: Map<String, Value> = about.as_object().cloned().unwrap_or_default();
        let sent = match part {
            Part::Poll(poll) => {
                let _in_flight = self.polls_in_flight.read().await;
                let is_channel = self.cache.lock().chats.get(&chat).is_some_and(|row| row.kind == ChatKind::Channel);
                let body = Value::Object(poll_body(&poll, is_channel, body)?);
                let sent = self.send_request("sendPoll", chat, body).await?;
                self.keep_poll(&sent, &poll).await;
                return Ok(id_of(&sent).into_iter().collect());
            }
            Part::Text(rich) => {
                add(&mut body, "text", "entities", &rich);
                let sent = self.send_request("sendMessage", chat, Value::Object(body)).await?;
                return Ok(id_of(&sent).into_iter().collect());
            }
            Part::File(file, caption) => {
                let (method, field) = Kind::of(&file).method();
                if let Some(caption) = caption {
                    add(&mut body, "caption", "caption_entities", &caption);
                }
                let sent = self.api.upload(method, body.clone(), vec![upload(field, file.clone())]).await;
                match sent {
                    // Not a photo to Telegram, but still a document.
                    Err(error) if method == "sendPhoto" && (error.says("photo_") || error.says("image_process")) => {
                        self.api.upload("sendDocument", body, vec![upload("document", file)]).await
                    }
                    other => other,
                }
            }
            Part::Album(files, caption) => {
                let mut caption = caption;
                let (mut media, mut uploads) = (Vec::new(), Vec::new());
                for (index, file) in files.into_iter().enumerate() {
                    let field = format!("file{index}");
                    let mut one = Map::from_iter([
                        ("type".to_owned(), Kind::of(&file).media().into()),
                        ("media".to_owned(), format!("attach://{field}").into()),
                    ]);
                    if let Some(caption) = caption.take() {
                        add(&mut one, "caption", "caption_entities", &caption);
                    }
                    media.push(Value::Object(one));
                    uploads.push(upload(&field, file));
                }
                body.insert("media".to_owned(), media.into());
                self.api.upload("sendMediaGroup", body, uploads).await
            }
        };
        let sent = self.record_sent(chat, sent).await?;
        // The first message of an album has the caption and is the one to edit, so it is returned
        // last.
        match sent.as_array() {
            Some(album) => Ok(album.iter().rev().filter_map(id_of).collect()),
            None => Ok(id_of(&sent).into_iter().collect()),
        }
    }

    /// Remembers the parts of a message, also over a restart.
    pub(super) async fn remember_parts(&self, chat: i64, head: i64, parts: Parts) {
        self.cache.lock().composed.remember(chat, head, parts);
        let mut rows = Batch::default();
        self.cache.keep_parts(&mut rows, chat, head, self.clock.now());
        if let Err(error) = self.write("the parts of a message", rows).await {
            tracing::warn!(bot = %self.cache.bot(), "the parts of a message cannot be stored: {error}");
        }
    }

    /// Returns the progress of an action before an error, so that nothing is sent twice.
    ///
    /// Messages sent before the group became a supergroup are in another chat: only their number
    /// counts.
    fn progress_of(&self, key: &ActionKey, chat: i64) -> Progress {
        let known = self.progress.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default();
        if known.chat == chat { known } else { Progress { chat, done: known.done, ..Progress::default() } }
    }
}
