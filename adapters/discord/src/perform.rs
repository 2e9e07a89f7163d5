//! Performs actions as REST requests.

mod edit;
mod lock;
mod moderate;
mod names;
mod purge;
mod say;
mod together;
mod webhooks;

use palabre_model::{Action, ActionError, ActionKey, MessageRef, Outcome, RoomId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use crate::Discord;
use crate::encode::number;
use crate::rest::{Call, RestError};

pub(crate) use webhooks::Webhooks;

/// The type of a thread that everyone in the channel sees.
const PUBLIC_THREAD: u8 = 11;
/// The longest name of a thread, in characters.
const THREAD_NAME_MAX: usize = 100;
/// The longest lifetime of an invitation, in seconds; 0 is unlimited.
const INVITE_SECONDS_MAX: u64 = 604_800;
/// The most uses of an invitation; 0 is unlimited.
const INVITE_USES_MAX: u32 = 100;

impl Discord {
    pub(crate) async fn execute(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let outcome = self.request(action, key).await;
        match action {
            Action::Delete { .. } | Action::React { remove: true, .. } | Action::Pin { remove: true, .. } => {
                gone_is_done(outcome)
            }
            _ => outcome,
        }
    }

    async fn request(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        match action {
            Action::Send { room, content, reply_to } => {
                let reply_to = reply_to.as_ref().map(message).transpose()?;
                self.say(channel(room)?, content, reply_to, key).await
            }
            Action::Direct { user, content, .. } => {
                let person = number(user.native(), "a user's id")?;
                let channel = self.direct_channel(person).await?;
                self.say(channel, content, None, key).await
            }
            Action::Answer { room, user, interaction, content } => {
                self.answer(room, user, interaction.as_deref(), content, key).await
            }
            Action::Form { room, user, interaction, form } => {
                match interaction.as_deref().and_then(|token| token.parse().ok()) {
                    Some(token) => {
                        self.interactions.open_form(&self.rest, &token, crate::encode::form(form)?).await?;
                        Ok(Outcome::default())
                    }
                    None => self.offer_form(channel(room)?, user, form, key).await,
                }
            }
            Action::Edit { room, message: which, content } => {
                self.edit(channel(room)?, message(which)?, content, key).await?;
                Ok(Outcome::default())
            }
            Action::Delete { room, message: which, reason } => {
                let (channel, mut outcome) = (channel(room)?, Ok(Outcome::default()));
                for id in self.parts_of(message(which)?).await? {
                    outcome = self.delete(channel, MessageId::new(id.max(1)), reason.as_deref()).await;
                    if !matches!(outcome, Ok(_) | Err(ActionError::NotFound(_))) {
                        break;
                    }
                }
                outcome
            }
            Action::React { room, message: which, emoji, remove } => {
                let reaction = reaction(emoji);
                let (channel_id, message_id) = (ChannelId::new(channel(room)?), message(which)?);
                let method = if *remove { LightMethod::Delete } else { LightMethod::Put };
                let route = Route::ChannelMessageReactionMe { channel_id, message_id, reaction: &reaction };
                done(self.rest.call(Call::new(method, route)).await)
            }
            Action::Typing { room } => {
                let route = Route::ChannelTyping { channel_id: ChannelId::new(channel(room)?) };
                done(self.rest.call(Call::new(LightMethod::Post, route)).await)
            }
            Action::Pin { room, message: which, remove } => {
                let method = if *remove { LightMethod::Delete } else { LightMethod::Put };
                let route =
                    Route::ChannelPin { channel_id: ChannelId::new(channel(room)?), message_id: message(which)? };
                done(self.rest.call(Call::new(method, route)).await)
            }
            Action::Purge { room, count, user, since, reason } => {
                let user = user.as_ref().map(|user| number(user.native(), "a user's id")).transpose()?;
                self.purge(channel(room)?, (*count, user, *since), reason.as_deref(), key).await
            }
            Action::Thread { room, message: about, name } => self.thread(room, about.as_ref(), name).await,
            Action::Invite { room, lasts, uses } => {
                let seconds = lasts.map_or(0, |millis| (millis / 1_000).clamp(1, INVITE_SECONDS_MAX));
                let body =
                    json!({ "max_age": seconds, "max_uses": uses.unwrap_or(0).min(INVITE_USES_MAX), "unique": true });
                let route = Route::ChannelInvites { channel_id: ChannelId::new(channel(room)?) };
                let made = self.rest.call(Call::new(LightMethod::Post, route).body(body)).await?;
                let code = made["code"].as_str().unwrap_or_default();
                Ok(Outcome { message: Some(format!("https://discord.gg/{code}").into()) })
            }
            Action::Moderate { room, space, user, measure, reason } => {
                self.moderate(room, space.as_ref(), user, measure, reason.as_deref()).await
            }
            Action::Admit { .. } | Action::Offer { .. } => Err(ActionError::Unsupported(action.kind())),
            Action::Arrange { room, change } => self.arrange(channel(room)?, change).await,
        }
    }

    async fn thread(&self, room: &RoomId, about: Option<&MessageRef>, name: &str) -> Result<Outcome, ActionError> {
        let channel_id = ChannelId::new(channel(room)?);
        let name: String = name.chars().take(THREAD_NAME_MAX).collect();
        let call = match about {
            Some(about) => {
                let route = Route::ChannelMessageThreads { channel_id, message_id: message(about)? };
                Call::new(LightMethod::Post, route).body(json!({ "name": name }))
            }
            None => {
                let route = Route::ChannelThreads { channel_id };
                Call::new(LightMethod::Post, route).body(json!({ "name": name, "type": PUBLIC_THREAD }))
            }
        };
        let made = self.rest.call(call).await?;
        Ok(Outcome { message: id_of(&made).map(|id| self.cache.room_id(id).as_str().into()) })
    }
}

/// Returns the id of a room's channel.
fn channel(room: &RoomId) -> Result<u64, ActionError> {
    number(room.native(), "a channel's id")
}

/// Returns the id of a message. The engine has resolved references to messages that it sent.
fn message(reference: &MessageRef) -> Result<MessageId, ActionError> {
    match reference {
        MessageRef::Id(id) | MessageRef::Own(id) => Ok(MessageId::new(number(id.as_str(), "a message's id")?)),
        MessageRef::Sent(key) => Err(ActionError::NotFound(format!("the message of {key}"))),
    }
}

fn done(result: Result<Value, RestError>) -> Result<Outcome, ActionError> {
    result.map(|_| Outcome::default()).map_err(ActionError::from)
}

/// Treats a missing target as success, so that a repetition after a crash succeeds.
fn gone_is_done(result: Result<Outcome, ActionError>) -> Result<Outcome, ActionError> {
    match result {
        Err(ActionError::NotFound(_)) => Ok(Outcome::default()),
        other => other,
    }
}

/// Returns the id of an object that Discord has created.
fn id_of(made: &Value) -> Option<u64> {
    made["id"].as_str()?.parse().ok()
}

/// Returns an emoji for a path: the character, or `name:id` of `<:name:id>`.
fn reaction(emoji: &str) -> String {
    let inner = emoji.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match inner {
        Some(own) => {
            let own = own.strip_prefix("a:").or_else(|| own.strip_prefix(':')).unwrap_or(own);
            own.split(':')
                .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string())
                .collect::<Vec<_>>()
                .join(":")
        }
        None => utf8_percent_encode(emoji, NON_ALPHANUMERIC).to_string(),
    }
}
