//! Sending of messages, and answers to interactions.

use std::sync::PoisonError;

use palabre_model::{ActionError, ActionKey, Content, FileToSend, Outcome, Poll, UserId};
use serde_json::{Map, Value, json};

use super::{Place, in_topic, somebody};
use crate::Telegram;
use crate::api::Upload;
use crate::buttons::keyboard;
use crate::cache::{ChatKind, Parts, Recent};
use crate::encode::{ALBUM_FILES_MAX, CAPTION_MAX, Kind, TEXT_MAX, rich};
use crate::text::{Rich, cut};
use crate::waiting::START_PAYLOAD;

/// Limits of a poll: options, characters of an option and of the question, seconds that it is open.
const POLL_OPTIONS_MAX: usize = 12;
const POLL_OPTION_LENGTH_MAX: usize = 100;
const POLL_QUESTION_LENGTH_MAX: usize = 300;
const POLL_SECONDS_MAX: u64 = 2_628_000;
/// Maximum length of an answer to a button press, in characters.
/// <https://core.telegram.org/bots/api#answercallbackquery>
const ALERT_LENGTH_MAX: usize = 200;

/// A part of a message: one request.
pub(super) enum Part {
    Poll(Poll),
    Text(Rich),
    File(FileToSend, Option<Rich>),
    Album(Vec<FileToSend>, Option<Rich>),
}

impl Part {
    fn messages(&self) -> usize {
        if let Self::Album(files, _) = self { files.len() } else { 1 }
    }

    fn carries(&self) -> Carries {
        match self {
            Self::Text(_) => Carries::Text,
            Self::File(_, Some(_)) | Self::Album(_, Some(_)) => Carries::Caption,
            Self::File(_, None) | Self::Album(_, None) | Self::Poll(_) => Carries::Nothing,
        }
    }
}

/// The form in which a part carries text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Text,
    Caption,
    Nothing,
}

/// The progress of an action that takes several requests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    chat: i64,
    /// The number of completed requests.
    done: usize,
    /// The message that stands for all: the last one.
    head: Option<i64>,
    parts: Parts,
}

impl Progress {
    /// Records a completed request, and the messages that it created.
    fn add(&mut self, carries: Carries, ids: &[i64]) {
        self.done += 1;
        ids.iter().for_each(|id| self.parts.add(*id));
        self.head = ids.last().copied().or(self.head);
        if carries != Carries::Nothing {
            self.parts.texts.extend(ids.last());
            self.parts.has_caption = carries == Carries::Caption;
        }
    }
}

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
        let parts = self.parts(content, markup.is_some())?;
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
                self.keep_poll(&sent, &poll).await?;
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

    /// Divides content into requests.
    ///
    /// The text becomes a caption if it is short enough and there is exactly one place for it.
    fn parts(&self, content: &Content, has_buttons: bool) -> Result<Vec<Part>, ActionError> {
        let rich = rich(&self.cache, content);
        let mut groups: Vec<(Option<u8>, Vec<FileToSend>)> = Vec::new();
        for file in &content.files {
            let album = Kind::of(file).album();
            match groups.last_mut() {
                Some((of, files)) if album.is_some() && *of == album && files.len() < ALBUM_FILES_MAX => {
                    files.push(file.clone());
                }
                _ => groups.push((album, vec![file.clone()])),
            }
        }
        let is_one_album = groups.len() == 1 && groups[0].1.len() > 1;
        // Albums have no buttons, which go below a text of their own.
        let has_place = groups.len() == 1 && !(is_one_album && has_buttons);
        let mut captions = if has_place { cut(&rich, CAPTION_MAX) } else { Vec::new() };
        let mut caption = captions.pop().filter(|_| captions.is_empty());
        let has_caption = caption.is_some();
        let mut parts = Vec::new();
        for (_, mut files) in groups {
            let caption = caption.take();
            match (files.len(), files.pop()) {
                (1, Some(file)) => parts.push(Part::File(file, caption)),
                (_, Some(file)) => {
                    files.push(file);
                    parts.push(Part::Album(files, caption));
                }
                (_, None) => {}
            }
        }
        if !has_caption {
            parts.extend(cut(&rich, TEXT_MAX).into_iter().map(Part::Text));
        }
        parts.extend(content.poll.clone().map(Part::Poll));
        match parts.last() {
            None => Err(ActionError::Rejected("the message is empty".to_owned())),
            Some(Part::Album(..)) if has_buttons => {
                Err(ActionError::Rejected("on Telegram, buttons with several files need a text".to_owned()))
            }
            Some(_) => Ok(parts),
        }
    }

    /// Answers a button press or a command.
    ///
    /// Ephemeral content is shown over the chat if the user has just pressed a button and the text
    /// is short, and is sent in private otherwise.
    pub(super) async fn answer(
        &self,
        place: Place,
        user: &UserId,
        interaction: Option<&str>,
        content: &Content,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        if !content.ephemeral {
            let sent = self.send(place, content, None, key).await?;
            if let Some(callback) = interaction {
                self.answer_callback(callback, None).await;
            }
            return Ok(sent);
        }
        let is_plain = content.files.is_empty() && content.buttons.is_empty() && content.select.is_none();
        let words = rich(&self.cache, content).text;
        if let Some(callback) = interaction.filter(|_| is_plain && words.chars().count() <= ALERT_LENGTH_MAX)
            && self.answer_callback(callback, Some(&words)).await
        {
            return Ok(Outcome::default());
        }
        let whom = somebody(user)?;
        match self.send((whom, None), content, None, key).await {
            // A bot cannot begin a private chat: the answer waits, and the user is shown how to
            // begin one.
            Err(ActionError::Forbidden(why)) => {
                if !self.keep_answer(whom, content, key).await? {
                    return Err(ActionError::Forbidden(why));
                }
                self.invite_in(place, interaction).await;
            }
            sent => {
                if let Some(callback) = interaction {
                    self.answer_callback(callback, None).await;
                }
                sent?;
            }
        }
        // It is not a message of the room, so it has no id there.
        Ok(Outcome::default())
    }

    /// Leads a user to the private chat, by the pressed button or by a link that all can see.
    async fn invite_in(&self, (chat, topic): Place, interaction: Option<&str>) {
        let username = self.cache.lock().username.clone();
        let link = format!("https://t.me/{username}?start={START_PAYLOAD}");
        if let Some(callback) = interaction
            && self.lead_by_callback(callback, &link).await
        {
            return;
        }
        let mut body = json!({ "chat_id": chat, "text": format!("✉ {link}") });
        in_topic(&mut body, topic);
        let _turn = self.pacer.wait(chat, 1).await;
        if let Err(error) = self.send_request("sendMessage", chat, body).await {
            tracing::debug!(bot = %self.cache.bot(), "the link to the bot could not be sent: {error}");
        }
    }

    /// Remembers one of the bot's own messages, so that it can be purged.
    pub(crate) fn remember_own(&self, message: &Value) {
        let (Some(chat), Some(id)) = (message["chat"]["id"].as_i64(), id_of(message)) else { return };
        let topic = message["message_thread_id"].as_i64().filter(|_| message["is_topic_message"] == true);
        let time = message["date"].as_u64().unwrap_or_default().saturating_mul(1_000);
        let mut state = self.cache.lock();
        let user = state.me;
        state.remember(chat, Recent { id, topic, user, time });
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

pub(super) fn add(body: &mut Map<String, Value>, text: &str, entities: &str, rich: &Rich) {
    body.insert(text.to_owned(), rich.text.clone().into());
    if !rich.entities.is_empty() {
        body.insert(entities.to_owned(), json!(rich.entities));
    }
}

/// Returns the request for a poll. <https://core.telegram.org/bots/api#sendpoll>
fn poll_body(poll: &Poll, is_channel: bool, mut body: Map<String, Value>) -> Result<Map<String, Value>, ActionError> {
    if poll.options.len() > POLL_OPTIONS_MAX {
        let count = poll.options.len();
        return Err(ActionError::Rejected(format!(
            "the poll has {count} options; Telegram accepts {POLL_OPTIONS_MAX}"
        )));
    }
    let clipped = |text: &str, max: usize| text.chars().take(max).collect::<String>();
    body.insert("question".to_owned(), clipped(&poll.question, POLL_QUESTION_LENGTH_MAX).into());
    let options = poll.options.iter().map(|option| json!({ "text": clipped(option, POLL_OPTION_LENGTH_MAX) }));
    body.insert("options".to_owned(), options.collect::<Vec<_>>().into());
    // Votes of anonymous polls are not reported; channels have no others.
    body.insert("is_anonymous".to_owned(), is_channel.into());
    body.insert("allows_multiple_answers".to_owned(), poll.multiple.into());
    if let Some(lasts) = poll.lasts {
        body.insert("open_period".to_owned(), lasts.div_ceil(1_000).clamp(5, POLL_SECONDS_MAX).into());
    }
    Ok(body)
}

fn upload(field: &str, file: FileToSend) -> Upload {
    let FileToSend { name, data, content_type, .. } = file;
    let name = if name.is_empty() { "file".to_owned() } else { name };
    Upload { field: field.to_owned(), name, content_type, data }
}

fn id_of(message: &Value) -> Option<i64> {
    message["message_id"].as_i64()
}
