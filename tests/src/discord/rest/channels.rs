//! Channels: settings and permission overwrites.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::{Permission, bits};
use crate::discord::state::State;

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The maximum slow mode: six hours, in seconds.
const SLOW_MODE_MAX: u64 = 21_600;

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::VIEW_CHANNEL)?;
    Reply::ok(state.channels[&channel].clone())
}

pub(super) fn update(state: &mut State, call: &Call) -> Outcome {
    let (channel, body) = (call.id("channel_id"), call.body_or_null());
    let old = state.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?.clone();
    let guild = state.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    let thread = is_thread(&old);
    let own = thread && Id::of(&old, "owner_id") == Some(state.bot);
    state.need_in(
        channel,
        match (thread, own) {
            (false, _) => Permission::MANAGE_CHANNELS,
            (true, false) => Permission::MANAGE_THREADS,
            (true, true) => Permission::VIEW_CHANNEL,
        },
    )?;
    if body["rate_limit_per_user"].as_u64().is_some_and(|seconds| seconds > SLOW_MODE_MAX) {
        return Err(Refusal::form("/rate_limit_per_user", "int value should be less than or equal to 21600."));
    }
    if !body["permission_overwrites"].is_null() {
        state.need_in(channel, Permission::MANAGE_ROLES)?;
    }
    if thread && old["thread_metadata"]["archived"] == true && body["archived"] != false {
        return Err(Refusal::thread_archived());
    }
    let (new, changes) = changed(&old, &body, thread);
    state.channels.insert(channel, new.clone());
    state.dispatch(if thread { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" }, Some(guild), new.clone());
    if !changes.is_empty() {
        let action = if thread { 111 } else { 11 };
        state.audit(guild, state.bot, action, Some(channel), call.reason.as_deref(), json!(changes), Value::Null);
    }
    Reply::ok(new)
}

/// Returns the channel after an edit, and the changes.
fn changed(old: &Value, body: &Value, thread: bool) -> (Value, Vec<Value>) {
    let mut new = old.clone();
    let mut changes = Vec::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        let in_metadata =
            thread && ["archived", "locked", "auto_archive_duration", "invitable"].contains(&key.as_str());
        let place = if in_metadata { &mut new["thread_metadata"][key] } else { &mut new[key] };
        let value = if key == "permission_overwrites" { overwrites(value) } else { value.clone() };
        if *place != value {
            changes.push(json!({ "key": key, "old_value": place.take(), "new_value": value }));
            *place = value;
        }
    }
    (new, changes)
}

fn overwrites(given: &Value) -> Value {
    let written = |one: &Value| {
        let text = |field: &str| bits(&one[field]).to_string();
        json!({ "id": Id::of(one, "id"), "type": one["type"], "allow": text("allow"), "deny": text("deny") })
    };
    given.as_array().into_iter().flatten().map(written).collect()
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let old = state.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?.clone();
    let thread = is_thread(&old);
    state.need_in(channel, if thread { Permission::MANAGE_THREADS } else { Permission::MANAGE_CHANNELS })?;
    let Some(guild) = state.guild_of(channel) else { return Reply::ok(old) };
    state.remove_channel(channel);
    state.audit(
        guild,
        state.bot,
        if thread { 112 } else { 12 },
        Some(channel),
        call.reason.as_deref(),
        json!([]),
        Value::Null,
    );
    Reply::ok(old)
}

pub(super) fn set_overwrite(state: &mut State, call: &Call) -> Outcome {
    let (channel, id, body) = (call.id("channel_id"), call.id("overwrite_id"), call.body_or_null());
    state.need_in(channel, Permission::MANAGE_ROLES)?;
    let guild = state.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    // One can only give or take permissions that one has.
    let touched = bits(&body["allow"]) | bits(&body["deny"]);
    if touched & !state.permissions(guild, state.bot, None) != 0 {
        return Err(Refusal::missing_permissions());
    }
    let text = |field: &str| bits(&body[field]).to_string();
    let kind = body["type"].as_u64().unwrap_or_default();
    let new = json!({ "id": id, "type": kind, "allow": text("allow"), "deny": text("deny") });
    let overwrites = state.overwrites(channel);
    let before = overwrites.len();
    overwrites.retain(|one| Id::of(one, "id") != Some(id));
    let action = if overwrites.len() < before { 14 } else { 13 };
    overwrites.push(new);
    state.dispatch_channel(channel);
    let options = json!({ "id": id, "type": kind.to_string() });
    state.audit(guild, state.bot, action, Some(channel), call.reason.as_deref(), json!([]), options);
    Reply::nothing()
}

pub(super) fn delete_overwrite(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = (call.id("channel_id"), call.id("overwrite_id"));
    state.need_in(channel, Permission::MANAGE_ROLES)?;
    let guild = state.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    let overwrites = state.overwrites(channel);
    let index =
        overwrites.iter().position(|one| Id::of(one, "id") == Some(id)).ok_or_else(Refusal::unknown_overwrite)?;
    overwrites.remove(index);
    state.dispatch_channel(channel);
    state.audit(guild, state.bot, 15, Some(channel), call.reason.as_deref(), json!([]), json!({ "id": id }));
    Reply::nothing()
}

pub(super) fn is_thread(channel: &Value) -> bool {
    matches!(channel["type"].as_u64(), Some(10..=12))
}

impl State {
    fn overwrites(&mut self, channel: Id) -> &mut Vec<Value> {
        let channel = self.channels.get_mut(&channel).expect("it was looked at before");
        if !channel["permission_overwrites"].is_array() {
            channel["permission_overwrites"] = json!([]);
        }
        channel["permission_overwrites"].as_array_mut().expect("it is a list")
    }

    pub(in crate::discord) fn dispatch_channel(&mut self, channel: Id) {
        let (guild, frame) = (self.guild_of(channel), self.channels[&channel].clone());
        let name = if is_thread(&frame) { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" };
        self.dispatch(name, guild, frame);
    }

    pub(in crate::discord) fn remove_channel(&mut self, channel: Id) {
        let guild = self.guild_of(channel);
        let Some(old) = self.channels.remove(&channel) else { return };
        self.messages.remove(&channel);
        if is_thread(&old) {
            let data = json!({
                "id": channel, "guild_id": old["guild_id"], "parent_id": old["parent_id"], "type": old["type"],
            });
            return self.dispatch("THREAD_DELETE", guild, data);
        }
        self.dispatch("CHANNEL_DELETE", guild, old);
    }
}
