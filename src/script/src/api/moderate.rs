//! Keeping order: members, rooms, pins, purges.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_model::{Action, ActionKey, Measure, RoomChange, UserId};

use super::check::{granted, message_ref, millis, millis_or_none, name, reachable, reason, space, text};
use super::{add, sent};
use crate::limits::VALUE_BYTES;
use crate::run::{Problem, Run, SharedRun};

/// No purge removes more messages than this at once.
const PURGE: u32 = 1_000;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "moderate", run, |_, run, arguments: Moderate| {
        let (room, of_space, user, what, duration, why, extra) = arguments;
        let mut run = run.borrow_mut();
        let now = run.input()?.now;
        granted(&run, "moderation", "moderating members")?;
        let until = millis_or_none(&duration)?.map(|millis| now.saturating_add(millis));
        let given = || extra.as_ref().map(text).transpose().map(Option::unwrap_or_default);
        let role = || match given()? {
            role if role.is_empty() => Err("a role has a name".to_owned()),
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
        let action = Action::Moderate {
            room: reachable(&run, &room)?,
            space: space(of_space)?,
            user: name(&user, "a user's id")?.into(),
            measure,
            reason: reason(why)?,
        };
        run.act(action).map(|_| true)
    })?;
    add(lua, host, "admit", run, |_, run, (room, user, decline): (LuaString, LuaString, bool)| {
        let mut run = run.borrow_mut();
        granted(&run, "moderation", "deciding who is let in")?;
        let (room, user) = (reachable(&run, &room)?, name(&user, "a user's id")?.into());
        run.act(Action::Admit { room, user, decline }).map(|_| true)
    })?;
    add(lua, host, "arrange", run, |_, run, (room, what, how): (LuaString, String, LuaValue)| {
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
        run.act(Action::Arrange { room, change }).map(|_| true)
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
    add(lua, host, "pin", run, |_, run, (room, which, is_key, remove): (LuaString, LuaString, bool, bool)| {
        let mut run = run.borrow_mut();
        granted(&run, "moderation", "pinning messages")?;
        let (room, message) = (reachable(&run, &room)?, message_ref(&which, is_key)?);
        run.act(Action::Pin { room, message, remove }).map(|_| true)
    })?;
    add(
        lua,
        host,
        "purge",
        run,
        |_, run, (room, count, user, age, why): (LuaString, f64, Option<LuaString>, LuaValue, Option<LuaString>)| {
            let mut run = run.borrow_mut();
            let now = run.input()?.now;
            granted(&run, "moderation", "removing other people's messages")?;
            if !(count.fract() == 0.0 && (1.0..=f64::from(PURGE)).contains(&count)) {
                return Err(format!("purge takes how many messages go, 1 to {PURGE}"));
            }
            let action = Action::Purge {
                room: reachable(&run, &room)?,
                count: count as u32,
                user: user.map(|user| name(&user, "a user's id").map(UserId::from)).transpose()?,
                since: millis_or_none(&age)?.map(|age| now.saturating_sub(age)),
                reason: reason(why)?,
            };
            run.act(action).map(|_| true)
        },
    )
}

/// A side talk is as open as its room, so that beginning one needs no more than speaking there.
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
