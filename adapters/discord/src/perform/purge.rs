//! Deletes the last messages of a channel.

use std::sync::PoisonError;

use palabre_types::{ActionError, ActionKey, Millis, Outcome};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use super::outcome::gone_is_done;
use crate::discord::Discord;
use crate::rest::{Call, RestError};
use crate::timestamp::made_at;

/// The most messages that Discord lists, or deletes, in one request.
pub(super) const BULK_MAX: usize = 100;
/// The age above which messages are deleted one by one: Discord's 14 days, less an hour.
///
/// <https://discord.com/developers/docs/resources/message#bulk-delete-messages>
const BULK_AGE_MAX: Millis = 14 * 86_400_000 - 3_600_000;
/// The most messages that are searched for those of one user.
const SEARCHED_MAX: usize = 2_000;

impl Discord {
    pub(super) async fn purge(
        &self,
        channel: u64,
        (count, user, since): (u32, Option<u64>, Option<Millis>),
        reason: Option<&str>,
        key: &ActionKey,
    ) -> Result<Outcome, ActionError> {
        // A repetition deletes the rest of these messages, instead of as many again.
        let known = self.purges.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        let mut left = match known {
            Some(left) => left,
            None => self.last_messages(channel, count, user, since).await?,
        };
        while !left.is_empty() {
            let removed = self.remove_some(channel, &left, reason).await;
            if let Ok(count) = removed {
                left.drain(..count);
            }
            self.purges.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), left.clone());
            removed?;
        }
        Ok(Outcome::default())
    }

    /// Returns the ids of the last messages of a channel, newest first.
    ///
    /// Only those of `user`, if there is one, and those sent at or after `since`.
    async fn last_messages(
        &self,
        channel: u64,
        count: u32,
        user: Option<u64>,
        since: Option<Millis>,
    ) -> Result<Vec<u64>, ActionError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let channel_id = ChannelId::new(channel);
        let (mut found, mut before, mut looked) = (Vec::new(), None::<u64>, 0);
        while found.len() < count && looked < SEARCHED_MAX {
            let call = Call::new(LightMethod::Get, Route::ChannelMessages { channel_id });
            let call = call.param("limit", BULK_MAX.to_string());
            let call = before.iter().fold(call, |call, id| call.param("before", id.to_string()));
            let page = self.rest.call(call).await?;
            let page = page.as_array().map(Vec::as_slice).unwrap_or_default();
            let ids = page.iter().filter_map(|message| Some((message, message["id"].as_str()?.parse::<u64>().ok()?)));
            let mut is_over = page.len() < BULK_MAX;
            for (message, id) in ids {
                looked += 1;
                before = Some(id);
                if since.is_some_and(|since| made_at(id) < since) {
                    is_over = true;
                    break;
                }
                let by = message["author"]["id"].as_str().and_then(|id| id.parse::<u64>().ok());
                if user.is_none_or(|user| by == Some(user)) && found.len() < count {
                    found.push(id);
                }
            }
            if is_over {
                break;
            }
        }
        Ok(found)
    }

    /// Deletes the first messages of a list that is not empty, and returns their number.
    ///
    /// Several go in one request if they are young enough; otherwise only the first one is deleted.
    async fn remove_some(&self, channel: u64, ids: &[u64], reason: Option<&str>) -> Result<usize, ActionError> {
        let some: Vec<u64> = ids.iter().copied().take(BULK_MAX).take_while(|id| self.is_young(*id)).collect();
        let is_in_server = self.cache.lock().channels.contains_key(&channel);
        if some.len() < 2 || !is_in_server {
            let one = MessageId::new(ids.first().copied().unwrap_or_default().max(1));
            gone_is_done(self.delete(channel, one, reason).await)?;
            return Ok(1);
        }
        self.bulk_delete(channel, &some, reason).await?;
        Ok(some.len())
    }

    /// Deletes 2 to 100 messages of a channel in one request; all have to be young enough.
    pub(super) async fn bulk_delete(&self, channel: u64, ids: &[u64], reason: Option<&str>) -> Result<(), RestError> {
        let ids: Vec<Value> = ids.iter().map(|id| id.to_string().into()).collect();
        let route = Route::ChannelMessagesBulkDelete { channel_id: ChannelId::new(channel) };
        let call = Call::new(LightMethod::Post, route).body(json!({ "messages": ids })).reason(reason);
        self.rest.call(call).await.map(drop)
    }

    /// Whether a message is young enough to be deleted together with others.
    pub(super) fn is_young(&self, message: u64) -> bool {
        made_at(message) + BULK_AGE_MAX > self.clock.now()
    }
}
