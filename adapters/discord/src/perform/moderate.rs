//! Moderates members, and changes the settings of rooms.

use palabre_types::{ActionError, Measure, Millis, Outcome, RoomChange, RoomId, SpaceId, UserId, iso8601};
use serde_json::{Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ChannelId, GuildId, RoleId, UserId as DiscordUser};

use super::ids::channel;
use super::outcome::{done, gone_is_done};
use crate::cache::Cache;
use crate::discord::Discord;
use crate::encode::number;
use crate::rest::{Call, RestError};

/// The longest mute: Discord's limit of 28 days, less a minute.
///
/// <https://discord.com/developers/docs/resources/guild#modify-guild-member>
const MUTE_MAX: Millis = 28 * 86_400_000 - 60_000;
/// The longest period before a ban whose messages it deletes.
const PURGE_PERIOD_MAX: Millis = 604_800_000;
/// The longest slow mode, in seconds.
const SLOWMODE_MAX: u64 = 21_600;
/// The longest topic, in characters.
const TOPIC_MAX: usize = 1_024;

impl Discord {
    pub(super) async fn moderate(
        &self,
        room: &RoomId,
        space: Option<&SpaceId>,
        user: &UserId,
        measure: &Measure,
        reason: Option<&str>,
    ) -> Result<Outcome, ActionError> {
        let guild = match space {
            Some(space) => number(space.native(), "a server's id")?,
            None => {
                let of_channel = self.cache.lock().channels.get(&channel(room)?).copied();
                of_channel.ok_or_else(|| ActionError::NotFound("the server of this room is not known".to_owned()))?
            }
        };
        let (guild_id, user_id) = (GuildId::new(guild), DiscordUser::new(number(user.native(), "a user's id")?));
        let member = Route::GuildMember { guild_id, user_id };
        let ban = Route::GuildBan { guild_id, user_id };
        let now = self.clock.now();
        match measure {
            Measure::Mute { until } => {
                let until = until.unwrap_or(u64::MAX).min(now + MUTE_MAX);
                let body = json!({ "communication_disabled_until": iso8601(until) });
                done(self.rest.call(Call::new(LightMethod::Patch, member).body(body).reason(reason)).await)
            }
            Measure::Unmute => {
                let body = json!({ "communication_disabled_until": Value::Null });
                done(self.rest.call(Call::new(LightMethod::Patch, member).body(body).reason(reason)).await)
            }
            Measure::Kick => {
                gone_is_done(done(self.rest.call(Call::new(LightMethod::Delete, member).reason(reason)).await))
            }
            Measure::Ban { until, purge_since } => {
                let seconds = purge_since.map_or(0, |since| now.saturating_sub(since).min(PURGE_PERIOD_MAX) / 1_000);
                // The expiry is stored before the ban, so that a crash in between leaves nobody
                // banned for good.
                let before = self.ban_expiries.set(*until, guild, user_id.get()).await?;
                let body = json!({ "delete_message_seconds": seconds });
                let banned = self.rest.call(Call::new(LightMethod::Put, ban).body(body).reason(reason)).await;
                if let Err(RestError::Refused { .. }) = banned {
                    self.ban_expiries.set(before, guild, user_id.get()).await?;
                }
                done(banned)
            }
            Measure::Unban => {
                self.ban_expiries.set(None, guild, user_id.get()).await?;
                let call = Call::new(LightMethod::Delete, ban).body(json!({})).reason(reason);
                gone_is_done(done(self.rest.call(call).await))
            }
            Measure::AddRole(name) | Measure::RemoveRole(name) => {
                let role = role(&self.cache.lock(), guild, name)?;
                let adds = matches!(measure, Measure::AddRole(_));
                let method = if adds { LightMethod::Put } else { LightMethod::Delete };
                let route = Route::GuildMemberRole { guild_id, user_id, role_id: RoleId::new(role) };
                done(self.rest.call(Call::new(method, route).reason(reason)).await)
            }
            Measure::Rename(nickname) => {
                let body = json!({ "nick": nickname.chars().take(32).collect::<String>() });
                done(self.rest.call(Call::new(LightMethod::Patch, member).body(body).reason(reason)).await)
            }
        }
    }

    pub(super) async fn arrange(&self, channel: u64, change: &RoomChange) -> Result<Outcome, ActionError> {
        let channel_id = ChannelId::new(channel);
        let body = match change {
            RoomChange::Topic(topic) => json!({ "topic": topic.chars().take(TOPIC_MAX).collect::<String>() }),
            RoomChange::Slowmode(pause) => {
                let seconds = pause.div_ceil(1_000);
                if seconds > SLOWMODE_MAX {
                    let why = format!("a slow mode of {seconds} s exceeds Discord's maximum of {SLOWMODE_MAX} s");
                    return Err(ActionError::Rejected(why));
                }
                json!({ "rate_limit_per_user": seconds })
            }
            RoomChange::Locked(locked) => return self.lock(channel, *locked).await,
        };
        done(self.rest.call(Call::new(LightMethod::Patch, Route::Channel { channel_id }).body(body)).await)
    }
}

fn role(known: &Cache, guild: u64, name: &str) -> Result<u64, ActionError> {
    let found = known.guilds.get(&guild).and_then(|row| row.role(name));
    found.ok_or_else(|| ActionError::NotFound(format!("there is no role \"{name}\" in this server")))
}
