//! Sends, answers and deletes messages.

use std::sync::PoisonError;

use palabre_types::{ActionError, ActionKey, Content, Mention, Outcome, RoomId, UserId};
use serde_json::{Map, Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use super::ids::{channel, created_id};
use crate::discord::Discord;
use crate::encode::{Part, nonce, number, parts};
use crate::interactions::{Interactions, Reply, Token, later};
use crate::rest::{Call, RestError};

impl Discord {
    /// Sends content to a channel, in several messages if it is long.
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
        let seed = self.nonce_seed().await?;
        let mut said = self.said_so_far(key);
        for (index, mut part) in self.parts(channel, content)?.into_iter().enumerate().skip(said.len()) {
            if let (0, Some(message)) = (index, reply_to) {
                // Reply even if the original message is gone.
                let reference = json!({ "message_id": message.to_string(), "fail_if_not_exists": false });
                part.body.insert("message_reference".to_owned(), reference);
            }
            said.push(self.send(channel, part, nonce(seed, key, index)).await?.unwrap_or_default());
            self.note_said(key, &said);
        }
        self.outcome(said).await
    }

    /// Sends one message, and returns its id.
    pub(super) async fn send(&self, channel: u64, mut part: Part, nonce: String) -> Result<Option<u64>, ActionError> {
        part.body.insert("nonce".to_owned(), nonce.into());
        part.body.insert("enforce_nonce".to_owned(), true.into());
        let route = Route::ChannelMessages { channel_id: ChannelId::new(channel) };
        let call = Call::new(LightMethod::Post, route).body(Value::Object(part.body)).files(part.files);
        Ok(created_id(&self.rest.call(call).await?))
    }

    /// Returns the outcome of a text that took these messages: scripts know it by the last one.
    pub(super) async fn outcome(&self, said: Vec<u64>) -> Result<Outcome, ActionError> {
        let last = said.last().copied().filter(|id| *id != 0);
        if let (Some(id), true) = (last, said.len() > 1) {
            self.keep_parts(MessageId::new(id), said).await?;
        }
        Ok(Outcome { message: last.map(|id| id.to_string().into()) })
    }

    /// Returns the messages that an interrupted action has sent, which are not sent again.
    pub(super) fn said_so_far(&self, key: &ActionKey) -> Vec<u64> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    pub(super) fn note_said(&self, key: &ActionKey, said: &[u64]) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), said.to_vec());
    }

    /// Records that a message answers an interaction.
    pub(super) fn note_answer(&self, message: Option<u64>, token: &Token) {
        if let Some(id) = message {
            self.answers.lock().unwrap_or_else(PoisonError::into_inner).put(id, token.clone());
        }
    }

    pub(super) fn parts(&self, channel: u64, content: &Content) -> Result<Vec<Part>, ActionError> {
        let known = self.cache.lock();
        let guild = known.channels.get(&channel).copied();
        parts(content, &known, guild)
    }

    /// Answers the user of a command, a button, a list or a form.
    ///
    /// If Discord accepts no answer any more, it goes to the channel or, if ephemeral, to the user
    /// as a direct message.
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
            let application = self.cache.lock().application;
            let mut said = self.said_so_far(key);
            let mut is_known = true;
            for part in self.parts(channel, content)?.into_iter().skip(said.len()) {
                let reply = Reply { body: Value::Object(part.body), files: part.files, ephemeral: content.ephemeral };
                let Some(message) = self.interactions.answer(&self.rest, application, &token, reply).await? else {
                    // The remaining parts are sent below.
                    is_known = false;
                    break;
                };
                let id = created_id(&message);
                self.note_answer(id, &token);
                said.push(id.unwrap_or_default());
                self.note_said(key, &said);
            }
            if is_known {
                return self.outcome(said).await;
            }
        }
        if content.ephemeral {
            return self.answer_directly(channel, user, content, key).await;
        }
        self.say(channel, content, None, key).await
    }

    /// Sends a direct message, or says in the channel that the user accepts none.
    async fn answer_directly(
        &self,
        channel: u64,
        user: &UserId,
        content: &Content,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        let person = number(user.native(), "a user's id")?;
        let direct = self.direct_channel(person).await;
        let said = match direct {
            Ok(direct) => self.say(direct, content, None, key).await,
            Err(error) => Err(error),
        };
        match said {
            Err(ActionError::Forbidden(_)) => self.say(channel, &self.closed_to(channel, user), None, key).await,
            said => said,
        }
    }

    /// Returns the message for a user who accepts no direct messages, in the server's language.
    fn closed_to(&self, channel: u64, user: &UserId) -> Content {
        let known = self.cache.lock();
        let locale = known.channel(channel).and_then(|(guild, _)| guild.locale.as_deref()).unwrap_or_default();
        let why = if locale.starts_with("fr") {
            "je ne peux pas t’écrire en privé : tes réglages pour ce serveur ne le permettent pas."
        } else {
            "I cannot write to you in private: your settings for this server do not allow it."
        };
        let mentions = vec![Mention::User(user.clone())];
        Content { mentions, ..Content::text(format!("<@{}> {why}", user.native())) }
    }

    pub(crate) async fn delete(
        &self,
        channel: u64,
        message: MessageId,
        reason: Option<&str>,
    ) -> Result<Outcome, ActionError> {
        let route = Route::ChannelMessage { channel_id: ChannelId::new(channel), message_id: message };
        let token = self.answer_of(message).filter(|token| Interactions::is_open(token, self.clock.now()));
        let application = self.cache.lock().application;
        if let Some(token) = token {
            self.rest.call(Call::new(LightMethod::Delete, later(application, &token, message))).await?;
            return Ok(Outcome::default());
        }
        match self.rest.call(Call::new(LightMethod::Delete, route).reason(reason)).await {
            // The bot's webhook can delete the messages that it has sent.
            Err(error @ RestError::Refused { .. }) if self.webhooks.is_known(self.home(channel).0) => {
                self.delete_as(channel, message).await.map_err(|_not_its| error.into())
            }
            other => other.map(|_| Outcome::default()).map_err(ActionError::from),
        }
    }

    pub(super) fn answer_of(&self, message: MessageId) -> Option<Token> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(&message.get()).cloned()
    }

    /// Returns the direct-message channel of a user.
    pub(super) async fn direct_channel(&self, person: u64) -> Result<u64, ActionError> {
        if let Some(channel) = self.directs.lock().unwrap_or_else(PoisonError::into_inner).get(&person) {
            return Ok(*channel);
        }
        let body = Value::Object(Map::from_iter([("recipient_id".to_owned(), person.to_string().into())]));
        let made = self.rest.call(Call::new(LightMethod::Post, Route::UserMeDmChannels).body(body)).await;
        let made = made.map_err(RestError::of_preparation)?;
        let channel =
            created_id(&made).ok_or_else(|| ActionError::Transient("Discord returned no channel for it".to_owned()))?;
        self.directs.lock().unwrap_or_else(PoisonError::into_inner).put(person, channel);
        Ok(channel)
    }
}
