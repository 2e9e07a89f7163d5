//! The bot itself: its user, the address of the gateway, its direct channels.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The maximum number of sessions per day.
const SESSIONS_A_DAY: u64 = 1_000;

pub(super) fn gateway(state: &mut State, _call: &Call) -> Outcome {
    Reply::ok(json!({ "url": state.gateway }))
}

pub(super) fn bot_gateway(state: &mut State, _call: &Call) -> Outcome {
    let remaining = SESSIONS_A_DAY.saturating_sub(state.counters.identifies);
    Reply::ok(json!({
        "url": state.gateway, "shards": state.options.shards,
        "session_start_limit": {
            "total": SESSIONS_A_DAY, "remaining": remaining, "reset_after": 43_200_000,
            "max_concurrency": state.options.max_concurrency,
        },
    }))
}

pub(super) fn user(state: &mut State, _call: &Call) -> Outcome {
    let mut user = state.user_frame(state.bot);
    user["mfa_enabled"] = json!(true);
    user["locale"] = json!("en-US");
    user["verified"] = json!(true);
    user["email"] = Value::Null;
    Reply::ok(user)
}

pub(super) fn other_user(state: &mut State, call: &Call) -> Outcome {
    let id = call.id("user_id");
    if state.users.contains_key(&id) { Reply::ok(state.user_frame(id)) } else { Err(Refusal::unknown_user()) }
}

pub(super) fn application(state: &mut State, _call: &Call) -> Outcome {
    Reply::ok(state.application_frame())
}

pub(super) fn guilds(state: &mut State, call: &Call) -> Outcome {
    let after = call.query_id("after").unwrap_or(Id(0));
    let mine = state.guilds.iter().filter(|(id, guild)| **id > after && guild.members.contains_key(&state.bot));
    let frame = |(id, guild): (&Id, &crate::discord::guild::Guild)| {
        json!({
            "id": id, "name": guild.name, "icon": null, "banner": null, "owner": guild.owner == state.bot,
            "features": [],
            "permissions": state.permissions(*id, state.bot, None).to_string(),
        })
    };
    Reply::ok(mine.take(call.limit(200)).map(frame).collect())
}

pub(super) fn leave_guild(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.guilds.get(&guild).ok_or_else(Refusal::unknown_guild)?;
    state.throw_bot_out(guild);
    Reply::nothing()
}

pub(super) fn create_direct(state: &mut State, call: &Call) -> Outcome {
    let body = call.body_or_null();
    let recipient =
        Id::of(&body, "recipient_id").ok_or_else(|| Refusal::form("/recipient_id", "This field is required"))?;
    if recipient == state.bot || !state.users.contains_key(&recipient) {
        return Err(if recipient == state.bot { Refusal::cannot_direct() } else { Refusal::unknown_user() });
    }
    let channel = state.direct_channel(recipient);
    Reply::ok(state.channels[&channel].clone())
}

impl State {
    /// Removes the bot from a guild: it receives that event, and none after it.
    pub(in crate::discord) fn throw_bot_out(&mut self, guild: Id) {
        self.dispatch("GUILD_DELETE", Some(guild), json!({ "id": guild }));
        self.guilds.remove(&guild);
        self.channels.retain(|_, channel| Id::of(channel, "guild_id") != Some(guild));
    }
}
