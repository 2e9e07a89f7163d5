//! Bans.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The maximum age of messages that a ban deletes: a week, in seconds.
const PURGE_MAX: u64 = 604_800;

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    state.need(guild, Permission::BAN_MEMBERS)?;
    let reason = state.guilds[&guild].bans.get(&user).ok_or_else(Refusal::unknown_ban)?;
    Reply::ok(json!({ "user": state.user_frame(user), "reason": reason }))
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::BAN_MEMBERS)?;
    let after = call.query_id("after").unwrap_or(Id(0));
    let bans = state.guilds[&guild].bans.range(Id(after.0 + 1)..).take(call.limit(1_000));
    Reply::ok(bans.map(|(user, reason)| json!({ "user": state.user_frame(*user), "reason": reason })).collect())
}

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let (guild, user, body) = (call.id("guild_id"), call.id("user_id"), call.body_or_null());
    state.need(guild, Permission::BAN_MEMBERS)?;
    if !state.users.contains_key(&user) {
        return Err(Refusal::unknown_user());
    }
    if state.guilds[&guild].members.contains_key(&user) {
        state.outranks(guild, user)?;
    }
    let days = body["delete_message_days"].as_u64().unwrap_or_default() * 86_400;
    let purge = body["delete_message_seconds"].as_u64().unwrap_or(days);
    if purge > PURGE_MAX {
        return Err(Refusal::form("/delete_message_seconds", "int value should be less than or equal to 604800."));
    }
    state.ban(guild, state.bot, user, call.reason.as_deref());
    state.purge_of(guild, user, purge);
    Reply::nothing()
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    state.need(guild, Permission::BAN_MEMBERS)?;
    if !state.guilds[&guild].bans.contains_key(&user) {
        return Err(Refusal::unknown_ban());
    }
    state.unban(guild, state.bot, user, call.reason.as_deref());
    Reply::nothing()
}

impl State {
    pub(in crate::discord) fn ban(&mut self, guild: Id, by: Id, user: Id, reason: Option<&str>) {
        self.guild_mut(guild).bans.insert(user, reason.map(ToOwned::to_owned));
        let data = json!({ "guild_id": guild, "user": self.user_frame(user) });
        self.in_any_order(
            |state| {
                state.dispatch("GUILD_BAN_ADD", Some(guild), data);
                state.depart(guild, user);
            },
            |state| state.audit(guild, by, 22, Some(user), reason, json!([]), Value::Null),
        );
    }

    pub(in crate::discord) fn unban(&mut self, guild: Id, by: Id, user: Id, reason: Option<&str>) {
        self.guild_mut(guild).bans.remove(&user);
        let data = json!({ "guild_id": guild, "user": self.user_frame(user) });
        self.in_any_order(
            |state| state.dispatch("GUILD_BAN_REMOVE", Some(guild), data),
            |state| state.audit(guild, by, 23, Some(user), reason, json!([]), Value::Null),
        );
    }

    /// Deletes the messages of a user from the last `seconds`, channel by channel.
    fn purge_of(&mut self, guild: Id, user: Id, seconds: u64) {
        let since = self.now().saturating_sub(seconds * 1_000);
        let channels: Vec<Id> = self.channels.keys().copied().filter(|id| self.guild_of(*id) == Some(guild)).collect();
        for channel in channels {
            let theirs =
                |(id, message): &(&Id, &Value)| id.moment() > since && Id::of(&message["author"], "id") == Some(user);
            let ids: Vec<Id> =
                self.messages.get(&channel).into_iter().flatten().filter(theirs).map(|(id, _)| *id).collect();
            if seconds > 0 && !ids.is_empty() {
                self.erase(channel, &ids);
            }
        }
    }
}
