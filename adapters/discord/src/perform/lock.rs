//! Locks a channel, and restores it as it was.

use palabre_store::Table;
use palabre_types::TableId;
use palabre_types::{ActionError, Batch, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, TargetId};

use super::outcome::done;
use crate::discord::Discord;
use crate::rest::{Call, RestError};

/// The permissions for sending messages, in a channel and in its threads.
///
/// <https://discord.com/developers/docs/topics/permissions>
const SPEAKING: u64 = 1 << 11 | 1 << 38;
/// The types of permission overwrites: for a role, and for a user.
const ROLE: u8 = 0;
const MEMBER: u8 = 1;

/// The permissions that an overwrite allows and denies.
type Overwrite = (u64, u64);
/// The overwrites before a channel was locked, by bot and channel.
const LOCKS: Table<(String, u64), LockRow> = Table::new(TableId::DiscordLocks);

/// The overwrites of @everyone, of the bot, and of others who may speak in a locked channel.
///
/// The others have the id, and the type of the overwrite. Only the permissions for sending are
/// kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct LockRow(Overwrite, Overwrite, #[serde(default)] Vec<(u64, u8, Overwrite)>);

impl Discord {
    /// Denies everyone sending in a channel, except those who may unlock it; or restores it.
    ///
    /// All other permissions stay as they are.
    pub(super) async fn lock(&self, channel: u64, locked: bool) -> Result<Outcome, ActionError> {
        let channel_id = ChannelId::new(channel);
        let (guild, is_thread, me) = {
            let known = self.cache.lock();
            let (_, row) = known.channel(channel).ok_or_else(|| ActionError::NotFound(format!("channel {channel}")))?;
            (known.channels.get(&channel).copied().unwrap_or_default(), row.is_thread(), known.me)
        };
        let route = Route::Channel { channel_id };
        if is_thread {
            let call = Call::new(LightMethod::Patch, route).body(json!({ "locked": locked }));
            return done(self.rest.call(call).await);
        }
        let now = self.rest.call(Call::new(LightMethod::Get, route)).await?;
        let key = (self.cache.bot().to_string(), channel);
        let before = self.stored(LOCKS, key.clone()).await?;
        // The role @everyone has the id of the server.
        let (everybody, own) = (overwrite(&now, guild), overwrite(&now, me));
        let mut batch = Batch::default();
        // A denial for everyone includes the bot, which has to announce that the channel is open
        // again, and the moderators who may ask it to. They are allowed to send before everyone is
        // denied, and lose that after everyone is allowed again.
        if locked {
            let mut row = before.unwrap_or_else(|| LockRow(of_speaking(everybody), of_speaking(own), Vec::new()));
            for (id, kind) in self.moderators(guild) {
                if row.2.iter().all(|(known, ..)| *known != id) {
                    row.2.push((id, kind, of_speaking(overwrite(&now, id))));
                }
            }
            LOCKS.put(&mut batch, &key, &row);
            self.write("a channel before it is locked", batch).await?;
            self.set_speaking(channel_id, (me, MEMBER), own, (SPEAKING, 0)).await?;
            for (id, kind, _) in row.2 {
                self.try_set_speaking(channel_id, (id, kind), overwrite(&now, id), (SPEAKING, 0)).await?;
            }
            self.set_speaking(channel_id, (guild, ROLE), everybody, (0, SPEAKING)).await?;
            return Ok(Outcome::default());
        }
        // A channel that the bot has not locked is opened, and nothing else changes.
        let before = before.unwrap_or_else(|| LockRow((everybody.0 & SPEAKING, 0), of_speaking(own), Vec::new()));
        let LockRow(of_everybody, of_bot, of_others) = before;
        self.set_speaking(channel_id, (guild, ROLE), everybody, of_everybody).await?;
        self.set_speaking(channel_id, (me, MEMBER), own, of_bot).await?;
        for (id, kind, speaking) in of_others {
            self.try_set_speaking(channel_id, (id, kind), overwrite(&now, id), speaking).await?;
        }
        LOCKS.delete(&mut batch, &key);
        self.write("a channel that is open again", batch).await?;
        Ok(Outcome::default())
    }

    /// Returns the roles and users that moderate a server by Discord's permissions or bots.yaml.
    ///
    /// Administrators are left out, since no overwrite applies to them.
    fn moderators(&self, guild: u64) -> Vec<(u64, u8)> {
        let known = self.cache.lock();
        let Some(row) = known.guilds.get(&guild) else { return Vec::new() };
        let mut moderators: Vec<_> = row.moderating_roles(guild).map(|role| (role, ROLE)).collect();
        let bot = format!("{}/", self.cache.bot());
        for name in &self.moderators {
            // As elsewhere in bots.yaml: a number is the id of a user, everything else is the name
            // of a role.
            match name.strip_prefix(&bot).unwrap_or(name).parse::<u64>() {
                Ok(person) if person != 0 && person != known.me => moderators.push((person, MEMBER)),
                Ok(_) => {}
                Err(_) => {
                    let called = row.roles.iter().filter(|(_, role)| role.name == *name).map(|(id, _)| *id);
                    moderators.extend(called.filter(|id| *id != guild).map(|role| (role, ROLE)));
                }
            }
        }
        moderators.sort_unstable();
        moderators.dedup();
        moderators
    }

    /// Sets permissions like [`Discord::set_speaking`], and logs a refusal instead of failing.
    async fn try_set_speaking(
        &self,
        channel_id: ChannelId,
        whom: (u64, u8),
        now: Overwrite,
        speaking: Overwrite,
    ) -> Result<(), RestError> {
        match self.set_speaking(channel_id, whom, now, speaking).await {
            Err(error @ RestError::Refused { .. }) => {
                let (bot, whom) = (self.cache.bot(), whom.0);
                tracing::warn!(%bot, "could not set permissions in {channel_id} for {whom}: {error}");
                Ok(())
            }
            result => result,
        }
    }

    /// Sets the permissions for sending of a role or a user, and keeps all others.
    async fn set_speaking(
        &self,
        channel_id: ChannelId,
        (whom, kind): (u64, u8),
        now: Overwrite,
        speaking: Overwrite,
    ) -> Result<(), RestError> {
        let wanted = (now.0 & !SPEAKING | speaking.0, now.1 & !SPEAKING | speaking.1);
        if wanted == now {
            return Ok(());
        }
        let route = Route::ChannelPermission { channel_id, target_id: TargetId::new(whom.max(1)) };
        let call = if wanted == (0, 0) {
            Call::new(LightMethod::Delete, route)
        } else {
            let body = json!({ "type": kind, "allow": wanted.0.to_string(), "deny": wanted.1.to_string() });
            Call::new(LightMethod::Put, route).body(body)
        };
        self.rest.call(call).await.map(drop)
    }
}

/// Returns the overwrite of a role or a user in a channel.
fn overwrite(channel: &Value, id: u64) -> Overwrite {
    let all = channel["permission_overwrites"].as_array();
    let found = all.and_then(|all| all.iter().find(|one| one["id"].as_str() == Some(&*id.to_string())));
    let bits = |name: &str| found.and_then(|one| one[name].as_str()?.parse().ok()).unwrap_or_default();
    (bits("allow"), bits("deny"))
}

const fn of_speaking((allow, deny): Overwrite) -> Overwrite {
    (allow & SPEAKING, deny & SPEAKING)
}
