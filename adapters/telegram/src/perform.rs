//! Actions as requests to Telegram.

mod delete;
mod edit;
mod moderate;
mod offer;
mod send;

use std::sync::PoisonError;

use palabre_model::{Action, ActionError, ActionKey, Measure, MessageRef, Outcome, RoomId, UserId};
use serde_json::{Value, json};

use crate::Telegram;
use crate::api::ApiError;
use crate::cache::Recent;
use crate::pace::Class;

pub(crate) use send::Progress;

/// Maximum length of a topic's name, in characters.
const TOPIC_NAME_MAX: usize = 128;
/// Maximum number of uses of an invite link.
const INVITE_USES_MAX: u32 = 99_999;

/// A chat, and a topic of it.
type Place = (i64, Option<i64>);

impl Telegram {
    pub(crate) async fn perform_action(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let outcome = self.request_action(action, key).await;
        match (action, outcome) {
            // The target is gone, as wanted: a repetition after a crash succeeds.
            (
                Action::Delete { .. } | Action::React { remove: true, .. } | Action::Pin { remove: true, .. },
                Err(ActionError::NotFound(_)),
            ) => Ok(Outcome::default()),
            (_, outcome) => outcome,
        }
    }

    async fn request_action(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        match action {
            Action::Send { room, content, reply_to } => {
                let reply_to = match reply_to.as_ref().map(|which| self.target(room, which)).transpose() {
                    Ok(found) => found.map(|(_, id)| id),
                    // A message from before the group became a supergroup; send without a reply
                    // then.
                    Err(ActionError::Rejected(_)) => None,
                    Err(error) => return Err(error),
                };
                self.send(self.place(room)?, content, reply_to, key).await
            }
            Action::Direct { user, content, .. } => self.send((somebody(user)?, None), content, None, key).await,
            Action::Answer { room, user, interaction, content } => {
                self.answer(self.place(room)?, user, interaction.as_deref(), content, key).await
            }
            Action::Form { room, user, interaction, form } => {
                if let Some(callback) = interaction {
                    self.answer_callback(callback, None).await;
                }
                let (chat, topic) = self.place(room)?;
                self.ask_form((chat, topic), person(user)?, form, key).await
            }
            Action::Offer { interaction, offers, lasts, .. } => self.offer(interaction, offers, *lasts).await,
            Action::Edit { room, message: which, content } => {
                let (_, topic) = self.place(room)?;
                let (chat, id) = self.target(room, which)?;
                self.edit((chat, topic), id, content).await
            }
            Action::Delete { room, message: which, .. } => {
                let (chat, id) = self.target(room, which)?;
                self.delete(chat, &[id]).await
            }
            Action::React { room, message: which, emoji, remove } => {
                let (chat, id) = self.target(room, which)?;
                self.react(chat, id, emoji, *remove).await
            }
            Action::Typing { room } => {
                let (chat, topic) = self.place(room)?;
                let mut body = json!({ "chat_id": chat, "action": "typing" });
                in_topic(&mut body, topic);
                done(self.in_chat(chat, "sendChatAction", body).await)
            }
            Action::Pin { room, message: which, remove } => {
                let (chat, id) = self.target(room, which)?;
                let mut body = json!({ "chat_id": chat, "message_id": id });
                if *remove {
                    done(self.in_chat(chat, "unpinChatMessage", body).await)
                } else {
                    body["disable_notification"] = true.into();
                    done(self.in_chat(chat, "pinChatMessage", body).await)
                }
            }
            Action::Purge { room, count, user, since, .. } => {
                let (chat, topic) = self.place(room)?;
                let user = user.as_ref().map(person).transpose()?;
                let max = usize::try_from(*count).unwrap_or(usize::MAX);
                let ids = self.cache.lock().recent(chat, max, |one| {
                    one.topic == topic
                        && user.is_none_or(|user| one.user == user)
                        && since.is_none_or(|since| one.time >= since)
                });
                let ids = ids.ok_or_else(|| ActionError::NotFound("the bot does not know that chat".to_owned()))?;
                let removed = self.remove(chat, ids.clone()).await?;
                // Forgotten once they are gone, so that a retry purges the same messages.
                self.cache.lock().forget(chat, &ids);
                Ok(removed)
            }
            Action::Thread { room, name, .. } => self.open_topic(self.place(room)?.0, name).await,
            Action::Invite { room, lasts, uses } => self.invite(self.place(room)?.0, *lasts, *uses).await,
            Action::Moderate { room, space, user, measure, .. } => {
                let chat = match space {
                    Some(space) => self.cache.place(space.native()).map(|(chat, _)| chat),
                    None => Some(self.place(room)?.0),
                };
                let chat = chat.ok_or_else(|| ActionError::NotFound("there is no such space".to_owned()))?;
                let person = person(user)?;
                let done = self.moderate(chat, person, measure).await?;
                if let Measure::Ban { purge_since: Some(since), .. } = measure {
                    // Telegram itself deletes them only in basic groups.
                    let is_theirs = |one: &Recent| one.user == person && one.time >= *since;
                    let ids = self.cache.lock().recent(chat, usize::MAX, is_theirs).unwrap_or_default();
                    if !ids.is_empty() {
                        self.remove(chat, ids.clone()).await?;
                        self.cache.lock().forget(chat, &ids);
                    }
                }
                Ok(done)
            }
            Action::Admit { room, user, decline } => self.admit(self.place(room)?.0, somebody(user)?, *decline).await,
            Action::Arrange { room, change } => self.arrange(self.place(room)?, change, action.kind()).await,
        }
    }

    fn place(&self, room: &RoomId) -> Result<Place, ActionError> {
        let native = room.native();
        self.cache.place(native).ok_or_else(|| ActionError::NotFound(format!("\"{native}\" is not a chat on Telegram")))
    }

    /// Returns the chat and the number of the message that an action refers to.
    fn target(&self, room: &RoomId, which: &MessageRef) -> Result<(i64, i64), ActionError> {
        match which {
            MessageRef::Id(id) | MessageRef::Own(id) => self.cache.message(room.native(), id.as_str()),
            MessageRef::Sent(key) => Err(ActionError::NotFound(format!("the message {key} was not sent"))),
        }
    }

    /// Sends a request about a chat that sends no message there.
    ///
    /// It is not delayed unless Telegram has asked to wait. If the response says that the chat has
    /// moved or that requests are too frequent, that is recorded.
    async fn in_chat(&self, chat: i64, method: &str, body: Value) -> Result<Value, ApiError> {
        let class = Class::of(method);
        self.pacer.admit(chat, class).map_err(|retry_after| ApiError::Limited { retry_after })?;
        let result = self.api.call(method, body).await;
        self.record_error(chat, class, result).await
    }

    /// Sends a request that sends a message. The caller has waited for its turn.
    pub(crate) async fn send_request(&self, method: &str, chat: i64, body: Value) -> Result<Value, ActionError> {
        let sent = self.api.call(method, body).await;
        self.record_sent(chat, sent).await
    }

    /// Records the result of a request that sends messages, and the messages themselves.
    pub(crate) async fn record_sent(&self, chat: i64, sent: Result<Value, ApiError>) -> Result<Value, ActionError> {
        let sent = self.record_error(chat, Class::Message, sent).await;
        match &sent {
            Ok(Value::Array(album)) => album.iter().for_each(|message| self.remember_own(message)),
            Ok(message) => self.remember_own(message),
            Err(_) => {}
        }
        sent.map_err(ActionError::from)
    }

    /// Records from an error that the chat has moved, or that Telegram asks to wait.
    async fn record_error(&self, chat: i64, class: Class, result: Result<Value, ApiError>) -> Result<Value, ApiError> {
        match &result {
            Err(ApiError::Moved { to }) => self.moved(chat, *to).await,
            Err(ApiError::Limited { retry_after }) => self.pacer.pause(chat, class, *retry_after),
            _ => {}
        }
        result
    }

    async fn react(&self, chat: i64, id: i64, emoji: &str, remove: bool) -> Result<Outcome, ActionError> {
        let custom = emoji.strip_prefix("<:custom:").and_then(|id| id.strip_suffix('>'));
        let reaction = match custom {
            Some(id) => json!({ "type": "custom_emoji", "custom_emoji_id": id }),
            // Telegram lists emoji without the variation selector for the coloured form.
            None => json!({ "type": "emoji", "emoji": emoji.replace('\u{fe0f}', "") }),
        };
        // A bot has one reaction per message, and the current one may not be the one to remove.
        let has = self.reactions.lock().unwrap_or_else(PoisonError::into_inner).get(&(chat, id)).cloned();
        if remove && has.as_ref().is_some_and(|has| *has != reaction) {
            return Ok(Outcome::default());
        }
        let reactions = if remove { json!([]) } else { json!([&reaction]) };
        let body = json!({ "chat_id": chat, "message_id": id, "reaction": reactions });
        let outcome = done(self.in_chat(chat, "setMessageReaction", body).await)?;
        if !remove {
            self.reactions.lock().unwrap_or_else(PoisonError::into_inner).put((chat, id), reaction);
        }
        Ok(outcome)
    }

    async fn open_topic(&self, chat: i64, name: &str) -> Result<Outcome, ActionError> {
        let name: String = name.chars().take(TOPIC_NAME_MAX).collect();
        let made = self.in_chat(chat, "createForumTopic", json!({ "chat_id": chat, "name": name })).await?;
        let topic = made["message_thread_id"].as_i64();
        let room = topic.map(|topic| {
            self.cache.lock().chats.entry(chat).or_default().name_topic(topic, &name);
            self.cache.room_id(chat, Some(topic)).to_string()
        });
        Ok(Outcome { message: room.map(Into::into) })
    }

    async fn invite(&self, chat: i64, lasts: Option<u64>, uses: Option<u32>) -> Result<Outcome, ActionError> {
        let mut body = json!({ "chat_id": chat });
        if let Some(lasts) = lasts {
            body["expire_date"] = ((self.clock.now() + lasts).div_ceil(1_000)).into();
        }
        if let Some(uses) = uses.filter(|uses| *uses > 0) {
            body["member_limit"] = uses.min(INVITE_USES_MAX).into();
        }
        let made = self.in_chat(chat, "createChatInviteLink", body).await?;
        Ok(Outcome { message: made["invite_link"].as_str().map(Into::into) })
    }
}

/// Sets the topic of a request, if there is one.
pub(crate) fn in_topic(body: &mut Value, topic: Option<i64>) {
    if let Some(topic) = topic {
        body["message_thread_id"] = topic.into();
    }
}

pub(crate) fn person(user: &UserId) -> Result<i64, ActionError> {
    let native = user.native();
    native.parse().ok().ok_or_else(|| ActionError::NotFound(format!("\"{native}\" is not a Telegram user")))
}

/// Returns a user who can be written to in private.
///
/// A message to a chat that writes in its own name would be read by all its members.
pub(crate) fn somebody(user: &UserId) -> Result<i64, ActionError> {
    match person(user)? {
        id if id > 0 => Ok(id),
        _ => Err(ActionError::Forbidden(
            "the author is a chat, and chats cannot receive private messages; answer in the room".to_owned(),
        )),
    }
}

fn done(result: Result<Value, ApiError>) -> Result<Outcome, ActionError> {
    match result {
        Ok(_) | Err(ApiError::Unchanged(_)) => Ok(Outcome::default()),
        Err(error) => Err(error.into()),
    }
}
