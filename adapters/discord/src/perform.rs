//! Performs actions as REST requests.

mod edit;
mod ids;
mod lock;
mod look_up;
mod moderate;
mod names;
mod outcome;
mod persona;
mod purge;
mod say;
mod together;

use palabre_types::{Action, ActionError, ActionKey, MessageRef, Millis, Outcome, RoomId};
use serde_json::json;
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use crate::discord::Discord;
use crate::encode::number;
use crate::rest::Call;

use ids::{channel, created_id, message, reaction};
use outcome::{done, gone_is_done};

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
                self.delete_parts(channel(room)?, message(which)?, reason.as_deref()).await
            }
            Action::React { room, message: which, emoji, remove } => {
                self.react(channel(room)?, message(which)?, emoji, *remove).await
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
            Action::Invite { room, lasts, uses } => self.invite(channel(room)?, *lasts, *uses).await,
            Action::Moderate { room, space, user, measure, reason } => {
                self.moderate(room, space.as_ref(), user, measure, reason.as_deref()).await
            }
            Action::Admit { .. } | Action::Offer { .. } => Err(ActionError::Unsupported(action.kind())),
            Action::Arrange { room, change } => self.arrange(channel(room)?, change).await,
        }
    }

    /// Deletes all messages of a text, and returns the outcome of the last request.
    async fn delete_parts(
        &self,
        channel: u64,
        message: MessageId,
        reason: Option<&str>,
    ) -> Result<Outcome, ActionError> {
        let mut outcome = Ok(Outcome::default());
        for id in self.parts_of(message).await? {
            outcome = self.delete(channel, MessageId::new(id.max(1)), reason).await;
            if !matches!(outcome, Ok(_) | Err(ActionError::NotFound(_))) {
                break;
            }
        }
        outcome
    }

    async fn react(
        &self,
        channel: u64,
        message_id: MessageId,
        emoji: &str,
        remove: bool,
    ) -> Result<Outcome, ActionError> {
        let reaction = reaction(emoji);
        let method = if remove { LightMethod::Delete } else { LightMethod::Put };
        let channel_id = ChannelId::new(channel);
        let route = Route::ChannelMessageReactionMe { channel_id, message_id, reaction: &reaction };
        done(self.rest.call(Call::new(method, route)).await)
    }

    async fn invite(&self, channel: u64, lasts: Option<Millis>, uses: Option<u32>) -> Result<Outcome, ActionError> {
        let seconds = lasts.map_or(0, |millis| (millis / 1_000).clamp(1, INVITE_SECONDS_MAX));
        let body = json!({ "max_age": seconds, "max_uses": uses.unwrap_or(0).min(INVITE_USES_MAX), "unique": true });
        let route = Route::ChannelInvites { channel_id: ChannelId::new(channel) };
        let made = self.rest.call(Call::new(LightMethod::Post, route).body(body)).await?;
        let code = made["code"].as_str().unwrap_or_default();
        Ok(Outcome { message: Some(format!("https://discord.gg/{code}").into()) })
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
        Ok(Outcome { message: created_id(&made).map(|id| self.cache.room_id(id).as_str().into()) })
    }
}
