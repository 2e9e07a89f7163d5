//! Moderation of members and rooms, pins and purges, with their permission checks.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Action, ActionKey, Bot, Event, EventKind, Impact, Measure, Room, RoomChange, RoomId, UserId};
use serde_json::Map;

use super::check::{granted, message_ref, millis, millis_or_none, name, reachable, reason, space, text};
use super::command::RuntimeTexts;
use super::function::acting;
use crate::limits::VALUE_BYTES;
use crate::refusal::denied_key;
use crate::reply::{Problem, sent};
use crate::run::{Run, SharedRun};

/// The maximum number of messages that one purge removes.
const PURGE_MAX: u32 = 1_000;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, runtime_texts: &Rc<RuntimeTexts>) -> mlua::Result<()> {
    install_members(lua, host, run, runtime_texts)?;
    install_rooms(lua, host, run)?;
    install_purge(lua, host, run, runtime_texts)
}

/// Adds functions that act on members.
fn install_members(lua: &Lua, host: &Table, run: &SharedRun, runtime_texts: &Rc<RuntimeTexts>) -> mlua::Result<()> {
    let texts = Rc::clone(runtime_texts);
    acting(lua, host, "moderate", run, move |_, run, arguments: Moderate| {
        let (room, of_space, user, what, duration, why, extra) = arguments;
        let mut run = run.borrow_mut();
        let now = run.input()?.now;
        granted(&run, "moderation", "moderating members")?;
        let until = millis_or_none(&duration)?.map(|millis| now.saturating_add(millis));
        let given = || extra.as_ref().map(text).transpose().map(Option::unwrap_or_default);
        let role = || match given()? {
            role if role.is_empty() => Err("a role needs a name".to_owned()),
            role => Ok(role),
        };
        let measure = match what.as_str() {
            "mute" => Measure::Mute { until },
            "unmute" => Measure::Unmute,
            "kick" => Measure::Kick,
            "ban" => {
                let purge = extra.as_ref().map(|text| millis(&LuaValue::String(text.clone()))).transpose()?;
                Measure::Ban { until, purge_since: purge.map(|millis| now.saturating_sub(millis)) }
            }
            "unban" => Measure::Unban,
            "add_role" => Measure::AddRole(role()?),
            "remove_role" => Measure::RemoveRole(role()?),
            _ => Measure::Rename(given()?),
        };
        let (impact, user) = (measure.impact(), UserId::from(name(&user, "a user's id")?));
        let action = Action::Moderate {
            room: reachable(&run, &room)?,
            space: space(of_space)?,
            user: user.clone(),
            measure,
            reason: reason(why)?,
        };
        act_on(&mut run, &texts, action, &user, impact)
    })?;
    acting(lua, host, "admit", run, |_, run, (room, user, decline): (LuaString, LuaString, bool)| {
        let mut run = run.borrow_mut();
        granted(&run, "moderation", "deciding on requests to join")?;
        let (room, user) = (reachable(&run, &room)?, name(&user, "a user's id")?.into());
        run.act(Action::Admit { room, user, decline })
    })
}

/// Adds functions that change a room, or make something in it.
fn install_rooms(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    acting(lua, host, "arrange", run, |_, run, (room, what, how): (LuaString, String, LuaValue)| {
        let mut run = run.borrow_mut();
        granted(&run, "moderation", "changing a room")?;
        let change = match (what.as_str(), &how) {
            ("topic", LuaValue::String(topic)) if topic.as_bytes().len() <= VALUE_BYTES => {
                RoomChange::Topic(text(topic)?)
            }
            ("topic", _) => return Err("set_topic takes a text".to_owned()),
            ("slowmode", how) => RoomChange::Slowmode(millis_or_none(how)?.unwrap_or(0)),
            (_, how) => RoomChange::Locked(how.as_boolean().unwrap_or(true)),
        };
        let room = reachable(&run, &room)?;
        run.act(Action::Arrange { room, change })
    })?;
    let shared = SharedRun::clone(run);
    let thread = move |_: &Lua, (room, which, is_key, name): (LuaString, Option<LuaString>, bool, LuaString)| {
        Ok(sent(thread(&mut shared.borrow_mut(), &room, which.as_ref(), is_key, &name)))
    };
    host.set("thread", lua.create_function(thread)?)?;
    let shared = SharedRun::clone(run);
    let invite = move |_: &Lua, (room, lasts, uses): (LuaString, LuaValue, Option<u32>)| {
        Ok(sent(invite(&mut shared.borrow_mut(), &room, &lasts, uses)))
    };
    host.set("invite", lua.create_function(invite)?)?;
    acting(lua, host, "pin", run, |_, run, (room, which, is_key, remove): (LuaString, LuaString, bool, bool)| {
        let mut run = run.borrow_mut();
        granted(&run, "moderation", "pinning messages")?;
        let (room, message) = (reachable(&run, &room)?, message_ref(&which, is_key)?);
        run.act(Action::Pin { room, message, remove })
    })
}

fn install_purge(lua: &Lua, host: &Table, run: &SharedRun, runtime_texts: &Rc<RuntimeTexts>) -> mlua::Result<()> {
    let texts = Rc::clone(runtime_texts);
    acting(
        lua,
        host,
        "purge",
        run,
        move |_,
              run,
              (room, count, user, age, why): (LuaString, f64, Option<LuaString>, LuaValue, Option<LuaString>)| {
            let mut run = run.borrow_mut();
            let now = run.input()?.now;
            granted(&run, "moderation", "removing other people's messages")?;
            if !(count.fract() == 0.0 && (1.0..=f64::from(PURGE_MAX)).contains(&count)) {
                return Err(format!("purge takes the number of messages to remove, 1 to {PURGE_MAX}"));
            }
            let user = user.map(|user| name(&user, "a user's id").map(UserId::from)).transpose()?;
            let action = Action::Purge {
                room: reachable(&run, &room)?,
                count: count as u32,
                user: user.clone(),
                since: millis_or_none(&age)?.map(|age| now.saturating_sub(age)),
                reason: reason(why)?,
            };
            match user {
                Some(user) => act_on(&mut run, &texts, action, &user, Impact::Changes),
                None => run.act(action),
            }
        },
    )
}

/// Requests an action, or refuses it if its requester may not act on `target`.
fn act_on(
    run: &mut Run,
    runtime_texts: &RuntimeTexts,
    action: Action,
    target: &UserId,
    impact: Impact,
) -> Result<ActionKey, Problem> {
    let event = Arc::clone(&run.input()?.event);
    let actor = actor(&event, target);
    let place = event_in_room(&event, action.room());
    let Err(denied) = run.host.may_act(&place, actor, target, impact) else { return run.act(action) };
    let plain = runtime_texts.say(run, denied_key(denied), &Map::new());
    let reply = actor.map(|_| {
        let arguments = Map::from_iter([("reason".to_owned(), plain.clone().into())]);
        runtime_texts.say(run, "not-done", &arguments)
    });
    run.refuse(&action, denied.to_string(), plain, reply)
}

/// Returns the event as it would be in the room of an action.
///
/// The member's roles in the event's space say nothing about another space.
fn event_in_room<'e>(event: &'e Event, room: &RoomId) -> Cow<'e, Event> {
    if event.room.as_ref().is_some_and(|here| here.id == *room) {
        return Cow::Borrowed(event);
    }
    let bot = Bot { name: room.bot().into(), platform: Arc::clone(&event.bot.platform) };
    let room = Some(Arc::new(Room::channel(room.clone(), room.native())));
    Cow::Owned(Event { bot, room, space: None, member: None, ..event.clone() })
}

/// Returns the user who acts on `target` in this run, or `None` if the script acts on its own.
///
/// The actor is the user of a command or a component. If a component affects its own user, the script decides by
/// itself.
fn actor<'e>(event: &'e Event, target: &UserId) -> Option<&'e UserId> {
    let user = &event.user.as_ref()?.id;
    match event.kind {
        EventKind::Command { .. } => Some(user),
        EventKind::Button { .. } | EventKind::Select { .. } | EventKind::Form { .. } => {
            (user != target).then_some(user)
        }
        _ => None,
    }
}

/// Starts a thread. A thread is as public as its room, so this needs no grant beyond posting there.
fn thread(
    run: &mut Run,
    room: &LuaString,
    which: Option<&LuaString>,
    is_key: bool,
    title: &LuaString,
) -> Result<ActionKey, Problem> {
    let room = reachable(run, room)?;
    let message = which.map(|which| message_ref(which, is_key)).transpose()?;
    let title = name(title, "a thread's name")?;
    run.act(Action::Thread { room, message, name: title })
}

fn invite(run: &mut Run, room: &LuaString, lasts: &LuaValue, uses: Option<u32>) -> Result<ActionKey, Problem> {
    granted(run, "moderation", "inviting others")?;
    let (room, lasts) = (reachable(run, room)?, millis_or_none(lasts)?);
    run.act(Action::Invite { room, lasts, uses })
}

type Moderate = (LuaString, Option<LuaString>, LuaString, String, LuaValue, Option<LuaString>, Option<LuaString>);
