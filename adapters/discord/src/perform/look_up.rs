//! Looks up messages that an attempt with an unknown outcome may have sent.
//!
//! Discord recognises a repetition by its nonce for a few minutes only. After that, the messages of
//! the channel show whether there is one with that nonce.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use palabre_types::{Action, ActionError, ActionKey, Millis};
use reqwest::StatusCode;
use serde_json::Value;
use serenity::http::{LightMethod, Route};
use serenity::model::id::ChannelId;

use super::ids::{channel, created_id};
use super::purge::BULK_MAX;
use crate::discord::Discord;
use crate::encode::{nonce, number};
use crate::rest::{Call, RestError};
use crate::timestamp::first_id;

/// The time for which Discord certainly recognises a nonce: it promises "the past few minutes".
///
/// <https://discord.com/developers/docs/resources/message#create-message>
const NONCE_WINDOW: Millis = 120_000;
/// The tolerated difference between Discord's clock and ours.
const CLOCK_DIFFERENCE_MAX: Millis = 60_000;
/// The most messages of a channel that are searched.
const SEARCHED_MAX: usize = 1_000;

impl Discord {
    /// Finds the messages of an action that an attempt at `since` or later has sent.
    ///
    /// They count as said, so they are not sent again.
    pub(crate) async fn look_up_sent(
        &self,
        action: &Action,
        key: &ActionKey,
        since: Millis,
    ) -> Result<(), ActionError> {
        if self.clock.now() < since.saturating_add(NONCE_WINDOW) {
            return Ok(());
        }
        let Some(channel) = self.channel_of_message(action).await? else { return Ok(()) };
        let sent = match self.own_nonces(channel, since).await {
            Ok(sent) => sent,
            Err(RestError::Refused { status: StatusCode::FORBIDDEN, text, .. }) => {
                if !self.is_history_refused.swap(true, Relaxed) {
                    let bot = self.cache.bot();
                    tracing::warn!(%bot, channel, "cannot look up whether a message was sent; sending it: {text}");
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let seed = self.nonce_seed().await?;
        let mut said = self.said_so_far(key);
        let before = said.len();
        while let Some(id) = sent.get(&nonce(seed, key, said.len())) {
            said.push(*id);
        }
        if said.len() > before {
            self.note_said(key, &said);
        }
        Ok(())
    }

    /// Returns the channel to which an action sends messages with a nonce, if it does.
    async fn channel_of_message(&self, action: &Action) -> Result<Option<u64>, ActionError> {
        // A webhook's messages have no nonce.
        if action.content().is_none_or(|content| content.persona.is_some()) {
            return Ok(None);
        }
        Ok(match action {
            Action::Direct { user, .. } => Some(self.direct_channel(number(user.native(), "a user's id")?).await?),
            // An ephemeral answer without a response goes to the user.
            Action::Answer { user, content, .. } if content.ephemeral => {
                let person = number(user.native(), "a user's id")?;
                self.direct_channel(person).await.ok()
            }
            Action::Send { room, .. } | Action::Answer { room, .. } => Some(channel(room)?),
            _ => None,
        })
    }

    /// Returns the bot's messages in a channel since a time, by nonce.
    async fn own_nonces(&self, channel: u64, since: Millis) -> Result<HashMap<String, u64>, RestError> {
        let me = self.cache.lock().me.to_string();
        let channel_id = ChannelId::new(channel);
        let mut after = first_id(since.saturating_sub(CLOCK_DIFFERENCE_MAX));
        let (mut found, mut searched) = (HashMap::new(), 0);
        while searched < SEARCHED_MAX {
            let call = Call::new(LightMethod::Get, Route::ChannelMessages { channel_id });
            let call = call.param("limit", BULK_MAX.to_string()).param("after", after.to_string());
            let page = self.rest.call(call).await?;
            let page = page.as_array().map(Vec::as_slice).unwrap_or_default();
            for message in page {
                let Some(id) = created_id(message) else { continue };
                after = after.max(id);
                // The bot's own id is known once it has been connected. The nonce alone is a hash
                // with a secret seed.
                let is_own = me == "0" || message["author"]["id"] == me;
                if let (true, Some(nonce)) = (is_own, nonce_of(message)) {
                    found.insert(nonce, id);
                }
            }
            searched += page.len();
            if page.len() < BULK_MAX {
                break;
            }
        }
        Ok(found)
    }
}

fn nonce_of(message: &Value) -> Option<String> {
    message["nonce"].as_str().map(ToOwned::to_owned)
}
