//! Messages: said, answered, changed, removed.

use palabre_model::{ActionError, ActionKey, Content, Outcome, RoomId, UserId};
use serde_json::{Map, Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use super::{channel, id_of};
use crate::Discord;
use crate::encode::{edit, nonce, number, parts};
use crate::interactions::{Interactions, Reply, Token, later};
use crate::rest::{Call, RestError};

/// Discord refuses to change what a webhook has said, through the channel.
const NOT_OWN: i64 = 50_005;

impl Discord {
    /// Says something in a channel: in several messages, where it is long.
    pub(crate) async fn say(
        &self,
        channel: u64,
        content: &Content,
        reply_to: Option<MessageId>,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        if let Some(persona) = &content.persona {
            return self.say_as(channel, persona, content, reply_to, key).await;
        }
        let (said, mut last) = self.said_so_far(key);
        for (index, mut part) in self.parts(channel, content)?.into_iter().enumerate().skip(said) {
            part.body.insert("nonce".to_owned(), nonce(key, index).into());
            part.body.insert("enforce_nonce".to_owned(), true.into());
            if let (0, Some(message)) = (index, reply_to) {
                // A message that is gone is no reason not to answer.
                let reference = json!({ "message_id": message.to_string(), "fail_if_not_exists": false });
                part.body.insert("message_reference".to_owned(), reference);
            }
            let route = Route::ChannelMessages { channel_id: ChannelId::new(channel) };
            let call = Call::new(LightMethod::Post, route).body(Value::Object(part.body)).files(part.files);
            last = id_of(&self.rest.call(call).await?);
            self.note_said(key, index + 1, last);
        }
        Ok(Outcome { message: last.map(|id| id.to_string().into()) })
    }

    /// How many parts of an action's message were said before a fault, and the id of the last: they are not said again.
    pub(super) fn said_so_far(&self, key: &ActionKey) -> (usize, Option<u64>) {
        self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }

    pub(super) fn note_said(&self, key: &ActionKey, parts: usize, last: Option<u64>) {
        self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner).put(key.clone(), (parts, last));
    }

    pub(super) fn parts(&self, channel: u64, content: &Content) -> Result<Vec<crate::encode::Part>, ActionError> {
        let known = self.world.lock();
        let guild = known.channels.get(&channel).copied();
        parts(content, &known, guild)
    }

    /// Answers whoever used a command, a button, a list or a form; where Discord waits for no answer any more, in the channel, or
    /// what is for one person's eyes, in private.
    pub(super) async fn answer(
        &self,
        room: &RoomId,
        user: &UserId,
        interaction: Option<&str>,
        content: &Content,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        let token: Option<Token> = interaction.and_then(|token| token.parse().ok());
        let channel = channel(room)?;
        if let Some(token) = token.filter(|token| Interactions::is_open(token, self.clock.now())) {
            let application = self.world.lock().application;
            let (done, mut last) = self.said_so_far(key);
            let mut is_known = true;
            for (index, part) in self.parts(channel, content)?.into_iter().enumerate().skip(done) {
                let reply = Reply { body: Value::Object(part.body), files: part.files, ephemeral: content.ephemeral };
                match self.interactions.answer(&self.rest, application, &token, reply).await? {
                    Some(message) => {
                        last = id_of(&message);
                        self.note_said(key, index + 1, last);
                    }
                    // What is left of it is said below.
                    None => is_known = false,
                }
                if !is_known {
                    break;
                }
            }
            if is_known {
                if let Some(id) = last {
                    self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).put(id, token);
                }
                return Ok(Outcome { message: last.map(|id| id.to_string().into()) });
            }
        }
        if content.ephemeral {
            let person = number(user.native(), "a user's id")?;
            let channel = self.direct_channel(person).await?;
            return self.say(channel, content, None, key).await;
        }
        self.say(channel, content, None, key).await
    }

    pub(super) async fn edit(&self, channel: u64, message: MessageId, content: &Content) -> Result<(), ActionError> {
        let part = {
            let known = self.world.lock();
            edit(content, &known, known.channels.get(&channel).copied())?
        };
        let body = Value::Object(part.body);
        let route = Route::ChannelMessage { channel_id: ChannelId::new(channel), message_id: message };
        let token = self.answer_of(message);
        let application = self.world.lock().application;
        // What is for one person's eyes is reached by the interaction alone.
        if let Some(token) = token.filter(|token| Interactions::is_open(token, self.clock.now())) {
            let call = Call::new(LightMethod::Patch, later(application, &token, message));
            self.rest.call(call.body(body).files(part.files)).await?;
            return Ok(());
        }
        if content.persona.is_some() {
            return self.edit_as(channel, message, body, part.files).await;
        }
        match self.rest.call(Call::new(LightMethod::Patch, route).body(body.clone()).files(part.files.clone())).await {
            Err(error) if error.is(NOT_OWN) => match self.edit_as(channel, message, body, part.files).await {
                // Nor is it the webhook's: it is somebody else's.
                Err(ActionError::NotFound(_)) => Err(error.into()),
                other => other,
            },
            other => other.map(drop).map_err(ActionError::from),
        }
    }

    pub(crate) async fn delete(
        &self,
        channel: u64,
        message: MessageId,
        reason: Option<&str>,
    ) -> Result<Outcome, ActionError> {
        let route = Route::ChannelMessage { channel_id: ChannelId::new(channel), message_id: message };
        let token = self.answer_of(message).filter(|token| Interactions::is_open(token, self.clock.now()));
        let application = self.world.lock().application;
        if let Some(token) = token {
            self.rest.call(Call::new(LightMethod::Delete, later(application, &token, message))).await?;
            return Ok(Outcome::default());
        }
        match self.rest.call(Call::new(LightMethod::Delete, route).reason(reason)).await {
            // What a webhook of the bot's has said, the webhook can remove.
            Err(error @ RestError::Refused { .. }) if self.webhooks.is_known(self.home(channel).0) => {
                self.delete_as(channel, message).await.map_err(|_not_its| error.into())
            }
            other => other.map(|_| Outcome::default()).map_err(ActionError::from),
        }
    }

    fn answer_of(&self, message: MessageId) -> Option<Token> {
        self.answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&message.get()).cloned()
    }

    /// The channel of what is between the bot and one person.
    pub(super) async fn direct_channel(&self, person: u64) -> Result<u64, ActionError> {
        if let Some(channel) = self.directs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&person) {
            return Ok(*channel);
        }
        let body = Value::Object(Map::from_iter([("recipient_id".to_owned(), person.to_string().into())]));
        let made = self.rest.call(Call::new(LightMethod::Post, Route::UserMeDmChannels).body(body)).await?;
        let channel =
            id_of(&made).ok_or_else(|| ActionError::Transient("Discord names no channel for it".to_owned()))?;
        self.directs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).put(person, channel);
        Ok(channel)
    }
}
