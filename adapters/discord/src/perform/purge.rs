//! Removing the last messages of a channel.

use palabre_model::{ActionError, Millis, Outcome};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, MessageId};

use crate::Discord;
use crate::decode::made_at;
use crate::rest::Call;

/// How many messages Discord shows, and removes, at once.
const AT_ONCE: usize = 100;
/// Older ones are removed one by one. <https://discord.com/developers/docs/resources/message#bulk-delete-messages>
const YOUNG: Millis = 14 * 86_400_000 - 3_600_000;
/// So many messages are looked through for those of one person.
const LOOKED_THROUGH: usize = 2_000;

impl Discord {
    pub(super) async fn purge(
        &self,
        channel: u64,
        count: u32,
        user: Option<u64>,
        since: Option<Millis>,
        reason: Option<&str>,
    ) -> Result<Outcome, ActionError> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let channel_id = ChannelId::new(channel);
        let (mut found, mut before, mut looked) = (Vec::new(), None::<u64>, 0);
        while found.len() < count && looked < LOOKED_THROUGH {
            let call = Call::new(LightMethod::Get, Route::ChannelMessages { channel_id });
            let call = call.param("limit", AT_ONCE.to_string());
            let call = before.iter().fold(call, |call, id| call.param("before", id.to_string()));
            let page = self.rest.call(call).await?;
            let page = page.as_array().map(Vec::as_slice).unwrap_or_default();
            let ids = page.iter().filter_map(|message| Some((message, message["id"].as_str()?.parse::<u64>().ok()?)));
            let mut is_over = page.len() < AT_ONCE;
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
        let now = self.clock.now();
        let (young, old): (Vec<_>, Vec<_>) = found.into_iter().partition(|id| made_at(*id) + YOUNG > now);
        for some in young.chunks(AT_ONCE) {
            match some {
                [one] => drop(super::gone_is_done(self.delete(channel, MessageId::new(*one), reason).await)?),
                some => {
                    let ids: Vec<Value> = some.iter().map(|id| id.to_string().into()).collect();
                    let route = Route::ChannelMessagesBulkDelete { channel_id };
                    let call = Call::new(LightMethod::Post, route).body(json!({ "messages": ids })).reason(reason);
                    // Not left to the engine, which would look anew and remove as many again.
                    self.rest.insist(call).await.map_err(|error| match error.into() {
                        ActionError::Transient(why) => ActionError::Rejected(format!("not all are removed: {why}")),
                        other => other,
                    })?;
                }
            }
        }
        for one in old {
            drop(super::gone_is_done(self.delete(channel, MessageId::new(one), reason).await)?);
        }
        Ok(Outcome::default())
    }
}
