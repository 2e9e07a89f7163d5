//! Members: roles, nicknames, timeouts and kicks.

use serde_json::{Value, json};

use crate::discord::guild::Member;
use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::world::{Event, World, moment, stamp};

use super::call::Call;
use super::refusal::Refusal;
use super::{Outcome, Reply};

/// The maximum timeout: 28 days, in milliseconds.
const LONGEST_TIMEOUT: u64 = 28 * 24 * 3_600_000;
pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    world.need(guild, Permission::VIEW_CHANNEL)?;
    Reply::ok(world.member(guild, user)?)
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    world.need(guild, Permission::VIEW_CHANNEL)?;
    if world.options.privileged & crate::discord::intents::MEMBERS == 0 {
        return Err(Refusal::missing_access());
    }
    let after = call.query_id("after").unwrap_or(Id(0));
    let members = world.guilds[&guild].members.range(Id(after.0 + 1)..).take(call.limit(1));
    Reply::ok(members.filter_map(|(user, _)| world.member_frame(guild, *user)).collect())
}

pub(super) fn search(world: &mut World, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    world.need(guild, Permission::VIEW_CHANNEL)?;
    let start = call.query.get("query").map(|text| text.to_lowercase()).unwrap_or_default();
    let named = |user: &&Id| {
        let nick = world.guilds[&guild].members[*user].nick.as_deref().unwrap_or_default().to_lowercase();
        world.users.get(user).is_some_and(|user| user.name.starts_with(&start)) || nick.starts_with(&start)
    };
    let found = world.guilds[&guild].members.keys().filter(named).take(call.limit(1));
    Reply::ok(found.filter_map(|user| world.member_frame(guild, *user)).collect())
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let (guild, user, body) = (call.id("guild_id"), call.id("user_id"), call.body_or_null());
    world.need(guild, Permission::VIEW_CHANNEL)?;
    world.member(guild, user)?;
    if let Some(nick) = body.get("nick") {
        let own = user == world.bot;
        world.need(guild, if own { Permission::CHANGE_NICKNAME } else { Permission::MANAGE_NICKNAMES })?;
        if !own {
            world.outranks(guild, user)?;
        }
        let nick = nick.as_str().filter(|nick| !nick.is_empty()).map(ToOwned::to_owned);
        let old = world.member_mut(guild, user).nick.clone();
        world.member_mut(guild, user).nick.clone_from(&nick);
        let changes = json!([{ "key": "nick", "old_value": old, "new_value": nick }]);
        world.audit(guild, world.bot, 24, Some(user), call.reason.as_deref(), changes, Value::Null);
    }
    if let Some(until) = body.get("communication_disabled_until") {
        set_timeout(world, call, guild, user, until)?;
    }
    if body["roles"].is_array() {
        set_roles(world, call, guild, user, &Id::list(&body["roles"]))?;
    }
    world.tell_of_member(guild, user);
    Reply::ok(world.member(guild, user)?)
}

fn set_timeout(world: &mut World, call: &Call, guild: Id, user: Id, until: &Value) -> Result<(), Refusal> {
    world.need(guild, Permission::MODERATE_MEMBERS)?;
    world.outranks(guild, user)?;
    let at = "/communication_disabled_until";
    let end = match until.as_str() {
        Some(text) => Some(moment(text).ok_or_else(|| Refusal::form(at, "Could not parse this timestamp"))?),
        None => None,
    };
    if end.is_some_and(|end| end > world.now() + LONGEST_TIMEOUT) {
        return Err(Refusal::form(at, "Must be less than 28 days in the future"));
    }
    let until = end.map(stamp);
    let old = world.member_mut(guild, user).timeout.clone();
    world.member_mut(guild, user).timeout.clone_from(&until);
    let changes = json!([{ "key": "communication_disabled_until", "old_value": old, "new_value": until }]);
    world.audit(guild, world.bot, 24, Some(user), call.reason.as_deref(), changes, Value::Null);
    Ok(())
}

fn set_roles(world: &mut World, call: &Call, guild: Id, user: Id, roles: &[Id]) -> Result<(), Refusal> {
    let old = world.member_mut(guild, user).roles.clone();
    let different =
        roles.iter().filter(|role| !old.contains(role)).chain(old.iter().filter(|role| !roles.contains(role)));
    for role in different {
        world.may_give(guild, *role)?;
    }
    world.member_mut(guild, user).roles = roles.to_vec();
    world.audit(guild, world.bot, 25, Some(user), call.reason.as_deref(), json!([]), Value::Null);
    Ok(())
}

pub(super) fn update_mine(world: &mut World, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    world.need(guild, Permission::CHANGE_NICKNAME)?;
    let bot = world.bot;
    world.member_mut(guild, bot).nick = call.body_or_null()["nick"].as_str().map(ToOwned::to_owned);
    world.tell_of_member(guild, bot);
    Reply::ok(world.member(guild, bot)?)
}

pub(super) fn add_role(world: &mut World, call: &Call) -> Outcome {
    give_or_take(world, call, "$add")
}

pub(super) fn remove_role(world: &mut World, call: &Call) -> Outcome {
    give_or_take(world, call, "$remove")
}

fn give_or_take(world: &mut World, call: &Call, what: &str) -> Outcome {
    let (guild, user, role) = (call.id("guild_id"), call.id("user_id"), call.id("role_id"));
    world.may_give(guild, role)?;
    world.member(guild, user)?;
    world.change_role(guild, world.bot, user, role, what == "$add", call.reason.as_deref());
    Reply::nothing()
}

pub(super) fn kick(world: &mut World, call: &Call) -> Outcome {
    let (guild, user) = (call.id("guild_id"), call.id("user_id"));
    world.need(guild, Permission::KICK_MEMBERS)?;
    world.member(guild, user)?;
    world.outranks(guild, user)?;
    world.remove_member(guild, world.bot, user, call.reason.as_deref());
    Reply::nothing()
}

impl World {
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

    pub(in crate::discord) fn tell_of_member(&mut self, guild: Id, user: Id) {
        let Some(mut data) = self.member_frame(guild, user) else { return };
        data["guild_id"] = json!(guild);
        let of_bot = user == self.bot;
        self.tell(Event { name: "GUILD_MEMBER_UPDATE".to_owned(), guild: Some(guild), data, of_bot });
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
            |world| world.tell_of_member(guild, user),
            |world| world.audit(guild, by, 25, Some(user), reason, changes, Value::Null),
        );
    }

    /// Kicks a member, as the bot or as a moderator.
    pub(in crate::discord) fn remove_member(&mut self, guild: Id, by: Id, user: Id, reason: Option<&str>) {
        self.in_any_order(
            |world| world.depart(guild, user),
            |world| world.audit(guild, by, 20, Some(user), reason, json!([]), Value::Null),
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
