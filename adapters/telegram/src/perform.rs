//! Actions as requests to Telegram.

mod answer;
mod callback;
mod delete;
mod edit;
mod moderate;
mod offer;
mod part;
mod place;
pub(crate) mod progress;
mod send;

use std::sync::PoisonError;

use palabre_platform::Condition;
use palabre_types::{Action, ActionError, ActionKey, Measure, Outcome};
use serde_json::json;

use crate::requests::done;
use crate::telegram::Telegram;

use place::{Place, in_topic, person, somebody};

/// Maximum length of a topic's name, in characters.
const TOPIC_NAME_MAX: usize = 128;
/// Maximum number of uses of an invite link.
const INVITE_USES_MAX: u32 = 99_999;

impl Telegram {
    /// Performs an action, unless it was performed before under this key.
    pub(crate) async fn perform_once(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        action.check_ids(self.cache.bot())?;
        if let Some(outcome) = self.done.get(key) {
            return Ok(outcome);
        }
        if let Condition::Refused(reason) = self.condition() {
            return Err(ActionError::Unavailable(reason));
        }
        self.is_ready().await?;
        let outcome = self.perform_action(action, key).await.map_err(|error| self.while_away(error))?;
        self.done.record(key, &outcome);
        Ok(outcome)
    }

    /// Turns a transient error into `Unavailable` while the bot is down or refused.
    ///
    /// The outage is no fault of the action, which is kept until the bot is back.
    fn while_away(&self, error: ActionError) -> ActionError {
        match (error, self.condition()) {
            (ActionError::Transient(why), Condition::Down(_) | Condition::Refused(_)) => ActionError::Unavailable(why),
            (error, _) => error,
        }
    }

    async fn perform_action(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
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
            Action::Typing { room } => self.show_typing(self.place(room)?).await,
            Action::Pin { room, message: which, remove } => {
                let (chat, id) = self.target(room, which)?;
                self.pin(chat, id, *remove).await
            }
            Action::Purge { room, count, user, since, .. } => {
                let place = self.place(room)?;
                let user = user.as_ref().map(person).transpose()?;
                self.purge(place, *count, user, *since).await
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
                let outcome = self.moderate(chat, person, measure).await?;
                if let Measure::Ban { purge_since: Some(since), .. } = measure {
                    self.purge_member(chat, person, *since).await?;
                }
                Ok(outcome)
            }
            Action::Admit { room, user, decline } => self.admit(self.place(room)?.0, somebody(user)?, *decline).await,
            Action::Arrange { room, change } => self.arrange(self.place(room)?, change, action.kind()).await,
        }
    }

    async fn show_typing(&self, (chat, topic): Place) -> Result<Outcome, ActionError> {
        let mut body = json!({ "chat_id": chat, "action": "typing" });
        in_topic(&mut body, topic);
        done(self.in_chat(chat, "sendChatAction", body).await)
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

    async fn pin(&self, chat: i64, id: i64, remove: bool) -> Result<Outcome, ActionError> {
        let mut body = json!({ "chat_id": chat, "message_id": id });
        if remove {
            return done(self.in_chat(chat, "unpinChatMessage", body).await);
        }
        body["disable_notification"] = true.into();
        done(self.in_chat(chat, "pinChatMessage", body).await)
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
