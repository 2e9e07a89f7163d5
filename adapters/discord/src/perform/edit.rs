//! Edits messages. A text may take several messages, before and after the edit.

use std::sync::PoisonError;

use palabre_store::Table;
use palabre_types::TableId;
use palabre_types::{ActionError, ActionKey, Batch, Content, Millis};
use serde_json::Value;
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use super::ids::created_id;
use super::outcome::gone_is_done;
use crate::discord::Discord;
use crate::encode::{Part, edit, nonce};
use crate::interactions::{Interactions, Reply, later};
use crate::rest::Call;

/// The error code for a message of another author, such as a webhook.
const NOT_OWN: i64 = 50_005;
/// The messages of a text in order, by bot and the id of the one that scripts know.
const PARTS: Table<(String, u64), Vec<u64>> = Table::new(TableId::DiscordParts);
/// The lifetime of these rows.
const PARTS_LIFETIME: Millis = 30 * 86_400_000;

impl Discord {
    pub(super) async fn edit(
        &self,
        channel: u64,
        message: MessageId,
        content: &Content,
        key: &ActionKey,
    ) -> Result<(), ActionError> {
        let parts = {
            let known = self.cache.lock();
            edit(content, &known, known.channels.get(&channel).copied())?
        };
        let there = self.parts_of(message).await?;
        let kept = there.len().min(parts.len());
        // The message that scripts know is kept in any case.
        let own = there.iter().position(|id| *id == message.get()).unwrap_or_default();
        let first = own.min(there.len() - kept);
        for id in there[..first].iter().chain(&there[first + kept..]) {
            gone_is_done(self.delete(channel, MessageId::new((*id).max(1)), None).await)?;
        }
        let mut now = there[first..first + kept].to_vec();
        let mut parts = parts.into_iter();
        for (id, part) in now.clone().into_iter().zip(parts.by_ref()) {
            self.edit_one(channel, MessageId::new(id.max(1)), content, part).await?;
        }
        let more: Vec<Part> = parts.collect();
        if more.is_empty() && there.len() == 1 {
            return Ok(());
        }
        let mut said = self.said_so_far(key);
        for (index, part) in more.into_iter().enumerate().skip(said.len()) {
            let id = self.say_more(channel, message, content, part, (key, index)).await?;
            said.push(id.unwrap_or_default());
            self.note_said(key, &said);
        }
        now.extend(said);
        self.keep_parts(message, now).await
    }

    /// Edits one message.
    async fn edit_one(
        &self,
        channel: u64,
        message: MessageId,
        content: &Content,
        part: Part,
    ) -> Result<(), ActionError> {
        let body = Value::Object(part.body);
        let route = Route::ChannelMessage { channel_id: ChannelId::new(channel), message_id: message };
        let token = self.answer_of(message);
        let application = self.cache.lock().application;
        // Ephemeral messages can be edited through their interaction only.
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
                // It is not the webhook's message either.
                Err(ActionError::NotFound(_)) => Err(error.into()),
                other => other,
            },
            other => other.map(drop).map_err(ActionError::from),
        }
    }

    /// Sends a further part in the same way as the message itself, and returns its id.
    async fn say_more(
        &self,
        channel: u64,
        message: MessageId,
        content: &Content,
        part: Part,
        (key, index): (&ActionKey, usize),
    ) -> Result<Option<u64>, ActionError> {
        let token = self.answer_of(message).filter(|token| Interactions::is_open(token, self.clock.now()));
        if let Some(token) = token {
            let application = self.cache.lock().application;
            let reply = Reply {
                body: Value::Object(part.body.clone()),
                files: part.files.clone(),
                ephemeral: content.ephemeral,
            };
            if let Some(said) = self.interactions.answer(&self.rest, application, &token, reply).await? {
                let id = created_id(&said);
                self.note_answer(id, &token);
                return Ok(id);
            }
        }
        if let Some(persona) = &content.persona {
            return self.speak_as(channel, persona, part).await;
        }
        let seed = self.nonce_seed().await?;
        self.send(channel, part, nonce(seed, key, index)).await
    }

    /// Returns all messages of the text that `message` belongs to.
    pub(super) async fn parts_of(&self, message: MessageId) -> Result<Vec<u64>, ActionError> {
        let id = message.get();
        if let Some(parts) = self.long.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(parts.clone());
        }
        let stored = self.stored(PARTS, (self.cache.bot().to_string(), id)).await?;
        Ok(stored.filter(|parts| parts.contains(&id)).unwrap_or_else(|| vec![id]))
    }

    /// Whether a message belongs to a text that took several, as far as this process knows.
    pub(super) fn is_long(&self, message: u64) -> bool {
        self.long.lock().unwrap_or_else(PoisonError::into_inner).contains(&message)
    }

    /// Stores the messages of a text.
    pub(super) async fn keep_parts(&self, message: MessageId, parts: Vec<u64>) -> Result<(), ActionError> {
        let mut batch = Batch::default();
        let until = Some(self.clock.now() + PARTS_LIFETIME);
        PARTS.put_until(&mut batch, &(self.cache.bot().to_string(), message.get()), &parts, until);
        self.long.lock().unwrap_or_else(PoisonError::into_inner).put(message.get(), parts);
        Ok(self.write("the messages of a long text", batch).await?)
    }
}
