//! Members: roles, nicknames, timeouts and kicks.

use serde_json::{Value, json};

use crate::discord::event::Event;
use crate::discord::guild::Member;
use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;
use crate::discord::timestamp::{moment, stamp};

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The maximum timeout: 28 days, in milliseconds.
const TIMEOUT_MAX: u64 = 28 * 24 * 3_600_000;
pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    state.need(guild, Permission::VIEW_CHANNEL)?;
    Reply::ok(state.member(guild, user)?)
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::VIEW_CHANNEL)?;
    if state.options.privileged & crate::discord::intents::MEMBERS == 0 {
        return Err(Refusal::missing_access());
    }
    let after = call.query_id("after").unwrap_or(Id(0));
    let members = state.guilds[&guild].members.range(Id(after.0 + 1)..).take(call.limit(1));
    Reply::ok(members.filter_map(|(user, _)| state.member_frame(guild, *user)).collect())
}

pub(super) fn search(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::VIEW_CHANNEL)?;
    let start = call.query.get("query").map(|text| text.to_lowercase()).unwrap_or_default();
    let named = |user: &&Id| {
        let nick = state.guilds[&guild].members[*user].nick.as_deref().unwrap_or_default().to_lowercase();
        state.users.get(user).is_some_and(|user| user.name.starts_with(&start)) || nick.starts_with(&start)
    };
    let found = state.guilds[&guild].members.keys().filter(named).take(call.limit(1));
    Reply::ok(found.filter_map(|user| state.member_frame(guild, *user)).collect())
}

pub(super) fn update(state: &mut State, call: &Call) -> Outcome {
    let (guild, user, body) = (call.id("guild_id"), call.id("user_id"), call.body_or_null());
    state.need(guild, Permission::VIEW_CHANNEL)?;
    state.member(guild, user)?;
    if let Some(nick) = body.get("nick") {
        let own = user == state.bot;
        state.need(guild, if own { Permission::CHANGE_NICKNAME } else { Permission::MANAGE_NICKNAMES })?;
        if !own {
            state.outranks(guild, user)?;
        }
        let nick = nick.as_str().filter(|nick| !nick.is_empty()).map(ToOwned::to_owned);
        let old = state.member_mut(guild, user).nick.clone();
        state.member_mut(guild, user).nick.clone_from(&nick);
        let changes = json!([{ "key": "nick", "old_value": old, "new_value": nick }]);
        state.audit(guild, state.bot, 24, Some(user), call.reason.as_deref(), changes, Value::Null);
    }
    if let Some(until) = body.get("communication_disabled_until") {
        set_timeout(state, call, guild, user, until)?;
    }
    if body["roles"].is_array() {
        set_roles(state, call, guild, user, &Id::list(&body["roles"]))?;
    }
    state.dispatch_member(guild, user);
    Reply::ok(state.member(guild, user)?)
}

fn set_timeout(state: &mut State, call: &Call, guild: Id, user: Id, until: &Value) -> Result<(), Refusal> {
    state.need(guild, Permission::MODERATE_MEMBERS)?;
    state.outranks(guild, user)?;
    let at = "/communication_disabled_until";
    let end = match until.as_str() {
        Some(text) => Some(moment(text).ok_or_else(|| Refusal::form(at, "Could not parse this timestamp"))?),
        None => None,
    };
    if end.is_some_and(|end| end > state.now() + TIMEOUT_MAX) {
        return Err(Refusal::form(at, "Must be less than 28 days in the future"));
    }
    let until = end.map(stamp);
    let old = state.member_mut(guild, user).timeout.clone();
    state.member_mut(guild, user).timeout.clone_from(&until);
    let changes = json!([{ "key": "communication_disabled_until", "old_value": old, "new_value": until }]);
    state.audit(guild, state.bot, 24, Some(user), call.reason.as_deref(), changes, Value::Null);
    Ok(())
}

fn set_roles(state: &mut State, call: &Call, guild: Id, user: Id, roles: &[Id]) -> Result<(), Refusal> {
    let old = state.member_mut(guild, user).roles.clone();
    let different =
        roles.iter().filter(|role| !old.contains(role)).chain(old.iter().filter(|role| !roles.contains(role)));
    for role in different {
        state.may_give(guild, *role)?;
    }
    state.member_mut(guild, user).roles = roles.to_vec();
    state.audit(guild, state.bot, 25, Some(user), call.reason.as_deref(), json!([]), Value::Null);
    Ok(())
}

pub(super) fn update_mine(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::CHANGE_NICKNAME)?;
    let bot = state.bot;
    state.member_mut(guild, bot).nick = call.body_or_null()["nick"].as_str().map(ToOwned::to_owned);
    state.dispatch_member(guild, bot);
    Reply::ok(state.member(guild, bot)?)
}

pub(super) fn add_role(state: &mut State, call: &Call) -> Outcome {
    give_or_take(state, call, "$add")
}

pub(super) fn remove_role(state: &mut State, call: &Call) -> Outcome {
    give_or_take(state, call, "$remove")
}

fn give_or_take(state: &mut State, call: &Call, what: &str) -> Outcome {
    let (guild, user, role) = (call.id("guild_id"), call.id("user_id"), call.id("role_id"));
    state.may_give(guild, role)?;
    state.member(guild, user)?;
    state.change_role(guild, state.bot, user, role, what == "$add", call.reason.as_deref());
    Reply::nothing()
}

pub(super) fn kick(state: &mut State, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    state.need(guild, Permission::KICK_MEMBERS)?;
    state.member(guild, user)?;
    state.outranks(guild, user)?;
    state.remove_member(guild, state.bot, user, call.reason.as_deref());
    Reply::nothing()
}

impl State {
    fn member(&self, guild: Id, user: Id) -> Result<Value, Refusal> {
        let unknown =
            || if self.users.contains_key(&user) { Refusal::unknown_member() } else { Refusal::unknown_user() };
        self.member_frame(guild, user).ok_or_else(unknown)
    }

    pub(in crate::discord) fn member_mut(&mut self, guild: Id, user: Id) -> &mut Member {
        let members = &mut self.guild_mut(guild).members;
        members.get_mut(&user).unwrap_or_else(|| panic!("{user} is no member of {guild}"))
    }

    /// Checks that the bot may assign a role: it needs the permission, and a higher role.
    fn may_give(&self, guild: Id, role: Id) -> Result<(), Refusal> {
        self.need(guild, Permission::MANAGE_ROLES)?;
        let role = self.guilds[&guild].roles.get(&role).ok_or_else(Refusal::unknown_role)?;
        let below = role["position"].as_u64() < Some(self.rank(guild, self.bot));
        if below && role["managed"] != true { Ok(()) } else { Err(Refusal::missing_permissions()) }
    }

    pub(in crate::discord) fn dispatch_member(&mut self, guild: Id, user: Id) {
        let Some(mut data) = self.member_frame(guild, user) else { return };
        data["guild_id"] = json!(guild);
        let of_bot = user == self.bot;
        self.deliver(Event { name: "GUILD_MEMBER_UPDATE".to_owned(), guild: Some(guild), data, of_bot });
    }

    /// Assigns or removes a role, sends the event and adds the audit entry.
    pub(in crate::discord) fn change_role(
        &mut self,
        guild: Id,
        by: Id,
        user: Id,
        role: Id,
        give: bool,
        reason: Option<&str>,
    ) {
        let name = self.guilds[&guild].roles.get(&role).map(|role| role["name"].clone()).unwrap_or_default();
        let roles = &mut self.member_mut(guild, user).roles;
        if roles.contains(&role) == give {
            return;
        }
        if give {
            roles.push(role)
        } else {
            roles.retain(|one| *one != role)
        }
        let key = if give { "$add" } else { "$remove" };
        let changes = json!([{ "key": key, "new_value": [{ "id": role, "name": name }] }]);
        self.in_any_order(
            |state| state.dispatch_member(guild, user),
            |state| state.audit(guild, by, 25, Some(user), reason, changes, Value::Null),
        );
    }

    /// Kicks a member, as the bot or as a moderator.
    pub(in crate::discord) fn remove_member(&mut self, guild: Id, by: Id, user: Id, reason: Option<&str>) {
        self.in_any_order(
            |state| state.depart(guild, user),
            |state| state.audit(guild, by, 20, Some(user), reason, json!([]), Value::Null),
        );
    }

    /// Removes a member.
    pub(in crate::discord) fn depart(&mut self, guild: Id, user: Id) {
        if self.guild_mut(guild).members.remove(&user).is_some() {
            self.guild_mut(guild).voice.remove(&user);
            let data = json!({ "guild_id": guild, "user": self.user_frame(user) });
            self.dispatch("GUILD_MEMBER_REMOVE", Some(guild), data);
        }
    }
}
