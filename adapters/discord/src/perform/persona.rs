//! Sends messages under another name, through a webhook of the bot in each channel.

use palabre_types::{ActionError, ActionKey, Content, Outcome, Persona};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId, WebhookId};

use super::ids::created_id;
use super::names::{allowed, initials};
use crate::discord::Discord;
use crate::encode::Part;
use crate::rest::{Call, File, RestError};

/// The name of the webhooks.
const NAME: &str = "Palabre";
/// The error code for a request with an invalid field.
///
/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>
const INVALID_FORM: i64 = 50_035;

impl Discord {
    pub(super) async fn say_as(
        &self,
        channel: u64,
        persona: &Persona,
        content: &Content,
        reply_to: Option<MessageId>,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        let content = &match reply_to {
            // A webhook cannot reply, so the text links to the original message.
            Some(message) => {
                let guild = self.cache.lock().channels.get(&channel).map_or("@me".to_owned(), u64::to_string);
                let link = format!("-# ↪ https://discord.com/channels/{guild}/{channel}/{message}");
                Content { text: format!("{link}\n{}", content.text), ..content.clone() }
            }
            None => content.clone(),
        };
        let mut said = self.said_so_far(key);
        for part in self.parts(channel, content)?.into_iter().skip(said.len()) {
            said.push(self.speak_as(channel, persona, part).await?.unwrap_or_default());
            self.note_said(key, &said);
        }
        self.outcome(said).await
    }

    /// Sends one part of a message under another name, and returns its id.
    pub(super) async fn speak_as(
        &self,
        channel: u64,
        persona: &Persona,
        mut part: Part,
    ) -> Result<Option<u64>, ActionError> {
        let (home, thread) = self.home(channel);
        part.body.insert("username".to_owned(), allowed(&persona.name).into());
        if let Some(picture) = persona.picture.as_ref().filter(|url| url.starts_with("http")) {
            part.body.insert("avatar_url".to_owned(), picture.as_str().into());
        }
        let mut said = self.speak((home, thread), &part).await;
        // Discord may refuse names other than those that it documents.
        if said.as_ref().is_err_and(is_of_name) {
            part.body.insert("username".to_owned(), initials(&persona.name).into());
            said = self.speak((home, thread), &part).await;
        }
        Ok(created_id(&said.map_err(|error| self.unsaid(home, error))?))
    }

    /// Sends one part of a message through the webhook of a channel.
    async fn speak(&self, (home, thread): (u64, Option<u64>), part: &Part) -> Result<Value, RestError> {
        let (id, token) = self.webhook(home).await.map_err(RestError::of_preparation)?;
        let route = Route::WebhookWithToken { webhook_id: WebhookId::new(id), token: &token };
        let call = Call::new(LightMethod::Post, route).param("wait", "true");
        let call = thread.iter().fold(call, |call, id| call.param("thread_id", id.to_string()));
        self.rest.call(call.body(Value::Object(part.body.clone())).files(part.files.clone())).await
    }

    /// Returns the error of a webhook's request. The next attempt replaces a deleted webhook.
    fn unsaid(&self, home: u64, error: RestError) -> ActionError {
        if error.is_gone_webhook() {
            self.webhooks.forget(home);
            return ActionError::Transient("the webhook was deleted, and is created again".to_owned());
        }
        error.into()
    }

    pub(super) async fn edit_as(
        &self,
        channel: u64,
        message: MessageId,
        body: Value,
        files: Vec<File>,
    ) -> Result<(), ActionError> {
        let (home, thread) = self.home(channel);
        let (id, token) = self.webhook(home).await?;
        let route = Route::WebhookMessage { webhook_id: WebhookId::new(id), token: &token, message_id: message };
        let call = thread
            .iter()
            .fold(Call::new(LightMethod::Patch, route), |call, id| call.param("thread_id", id.to_string()));
        self.rest.call(call.body(body).files(files)).await?;
        Ok(())
    }

    pub(super) async fn delete_as(&self, channel: u64, message: MessageId) -> Result<Outcome, ActionError> {
        let (home, thread) = self.home(channel);
        let (id, token) = self.webhook(home).await?;
        let route = Route::WebhookMessage { webhook_id: WebhookId::new(id), token: &token, message_id: message };
        let call = thread
            .iter()
            .fold(Call::new(LightMethod::Delete, route), |call, id| call.param("thread_id", id.to_string()));
        self.rest.call(call).await?;
        Ok(Outcome::default())
    }

    /// Returns the channel with the webhook for a channel, and the thread if it is one.
    pub(super) fn home(&self, channel: u64) -> (u64, Option<u64>) {
        let known = self.cache.lock();
        match known.channel(channel) {
            Some((_, row)) if row.is_thread() => (row.parent.unwrap_or(channel), Some(channel)),
            _ => (channel, None),
        }
    }

    /// Returns the bot's webhook of a channel: a known one, an existing one, or a new one.
    async fn webhook(&self, channel: u64) -> Result<(u64, String), RestError> {
        if let Some(known) = self.webhooks.get(channel) {
            return Ok(known);
        }
        let route = Route::ChannelWebhooks { channel_id: ChannelId::new(channel) };
        let there = self.rest.call(Call::new(LightMethod::Get, route)).await?;
        let application = self.cache.lock().application.to_string();
        let own = |webhook: &&Value| webhook["application_id"] == *application && webhook["token"].is_string();
        let found = there.as_array().and_then(|all| all.iter().find(own)).cloned();
        let made = match found {
            Some(found) => found,
            None => self.rest.call(Call::new(LightMethod::Post, route).body(json!({ "name": NAME }))).await?,
        };
        let webhook = created_id(&made).zip(made["token"].as_str().map(ToOwned::to_owned));
        let webhook =
            webhook.ok_or_else(|| RestError::Unfit("Discord returned no token for its webhook".to_owned()))?;
        self.webhooks.put(channel, webhook.clone());
        Ok(webhook)
    }
}

/// Whether a webhook was refused because of the name.
fn is_of_name(error: &RestError) -> bool {
    matches!(error, RestError::Refused { code: INVALID_FORM, text, .. } if text.contains("username"))
}
