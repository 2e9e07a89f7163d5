//! Guilds: channels, roles, the audit log.

use rand::RngExt;
use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;
use crate::json::{drop_nulls, merge};

use super::call::Call;
use super::channels::is_thread;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

fn home(state: &State, call: &Call) -> Result<Id, Refusal> {
    let guild = call.id("guild_id");
    match state.guilds.get(&guild) {
        Some(home) if home.members.contains_key(&state.bot) => Ok(guild),
        Some(_) => Err(Refusal::missing_access()),
        None => Err(Refusal::unknown_guild()),
    }
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    let mut frame = state.guild_frame(guild);
    if call.asks("with_counts") {
        let count = state.guilds[&guild].members.len();
        frame["approximate_member_count"] = json!(count);
        frame["approximate_presence_count"] = json!(count);
    }
    Reply::ok(frame)
}

pub(super) fn channels(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    let here =
        state.channels.values().filter(|channel| Id::of(channel, "guild_id") == Some(guild) && !is_thread(channel));
    Reply::ok(here.cloned().collect())
}

pub(super) fn create_channel(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    state.need(guild, Permission::MANAGE_CHANNELS)?;
    let mut body = call.body_or_null();
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let kind = body["type"].as_u64().unwrap_or_default();
    drop_nulls(&mut body);
    let id = state.create_channel(guild, &name, kind, json!({}));
    merge(state.channels.get_mut(&id).expect("it was just made"), body);
    let frame = state.channels[&id].clone();
    state.dispatch("CHANNEL_CREATE", Some(guild), frame.clone());
    state.audit(guild, state.bot, 10, Some(id), call.reason.as_deref(), json!([]), Value::Null);
    Reply::created(frame)
}

pub(super) fn roles(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    Reply::ok(state.guilds[&guild].roles.values().cloned().collect())
}

pub(super) fn role(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    let role = state.guilds[&guild].roles.get(&call.id("role_id"));
    Reply::ok(role.cloned().ok_or_else(Refusal::unknown_role)?)
}

pub(super) fn emojis(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    Reply::ok(json!(state.guilds[&guild].emojis))
}

pub(super) fn audit_log(state: &mut State, call: &Call) -> Outcome {
    let guild = home(state, call)?;
    state.need(guild, Permission::VIEW_AUDIT_LOG)?;
    let wanted = |field: &str, query: &str, entry: &Value| {
        call.query.get(query).is_none_or(|value| {
            entry[field].as_str() == Some(value) || value.parse().is_ok_and(|value: u64| entry[field] == value)
        })
    };
    let (before, after) = (call.query_id("before"), call.query_id("after"));
    let fits = |entry: &&Value| {
        let id = Id::of(entry, "id");
        before.is_none_or(|before| id < Some(before))
            && after.is_none_or(|after| id > Some(after))
            && wanted("user_id", "user_id", entry)
            && wanted("target_id", "target_id", entry)
            && wanted("action_type", "action_type", entry)
    };
    let entries: Vec<Value> =
        state.guilds[&guild].audit.iter().rev().filter(fits).take(call.limit(50)).cloned().collect();
    let mut people: Vec<Id> =
        entries.iter().flat_map(|one| [Id::of(one, "user_id"), Id::of(one, "target_id")]).flatten().collect();
    people.sort_unstable();
    people.dedup();
    people.retain(|id| state.users.contains_key(id));
    Reply::ok(json!({
        "audit_log_entries": entries, "users": people.iter().map(|id| state.user_frame(*id)).collect::<Vec<_>>(),
        "integrations": [], "webhooks": [], "guild_scheduled_events": [], "threads": [], "application_commands": [],
        "auto_moderation_rules": [],
    }))
}

impl State {
    /// Adds an entry to the audit log and sends the event.
    #[allow(clippy::too_many_arguments, reason = "an entry has this many parts")]
    pub(in crate::discord) fn audit(
        &mut self,
        guild: Id,
        by: Id,
        action: u64,
        target: Option<Id>,
        reason: Option<&str>,
        changes: Value,
        options: Value,
    ) {
        let id = self.fresh_id();
        let mut entry = json!({ "id": id, "action_type": action, "user_id": by, "target_id": target });
        if changes.as_array().is_some_and(|changes| !changes.is_empty()) {
            entry["changes"] = changes;
        }
        if options.is_object() {
            entry["options"] = options;
        }
        if let Some(reason) = reason {
            entry["reason"] = json!(reason);
        }
        self.guild_mut(guild).audit.push(entry.clone());
        entry["guild_id"] = json!(guild);
        if self.permissions(guild, self.bot, None) & Permission::VIEW_AUDIT_LOG.0 != 0 {
            self.dispatch("GUILD_AUDIT_LOG_ENTRY_CREATE", Some(guild), entry);
        }
    }

    /// Performs two changes in random order: Discord sends an action and its audit entry in either order.
    pub(in crate::discord) fn in_any_order(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        if self.random.random_bool(0.5) {
            one(self);
            other(self);
        } else {
            other(self);
            one(self);
        }
    }
}
