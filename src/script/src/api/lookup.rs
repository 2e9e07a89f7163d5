//! Lookups: the keys and ids of sent messages, users by name, and the features of bots.

use mlua::{Lua, LuaString, Table};
use palabre_types::{ActionKey, RoomId};

use super::function::add;
use crate::handle::HandleStep;
use crate::run::SharedRun;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    install_sent(lua, host, run)?;
    install_names(lua, host, run)?;
    install_bots(lua, host, run)
}

/// Adds functions that find messages of the script by their action, and the other way round.
fn install_sent(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "action_key", run, |_, run, (seq, step, index): (f64, HandleStep, u32)| {
        Ok(ActionKey { script: run.borrow().script.clone(), run: step.run(seq), index }.to_string())
    })?;
    host.set(
        "is_key",
        lua.create_function(|_, which: LuaString| {
            Ok(which.to_str().is_ok_and(|which| which.parse::<ActionKey>().is_ok()))
        })?,
    )?;
    let shared = SharedRun::clone(run);
    let message_id = move |_: &Lua, (room, seq, step, index): (String, f64, HandleStep, u32)| {
        let run = shared.borrow();
        let key = ActionKey { script: run.script.clone(), run: step.run(seq), index };
        Ok(run.host.message_id(&room.into(), &key).map(|id| id.to_string()))
    };
    host.set("message_id", lua.create_function(message_id)?)?;
    let shared = SharedRun::clone(run);
    let sent_as = move |_: &Lua, (room, id): (String, String)| {
        Ok(shared.borrow().host.sent_as(&room.into(), &id.into()).map(|key| key.to_string()))
    };
    host.set("sent_as", lua.create_function(sent_as)?)
}

/// Adds functions that find users and mentions.
fn install_names(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    let find = move |_: &Lua, (bot, name): (String, String)| {
        let run = shared.borrow();
        let found = run.input().ok().and_then(|input| run.host.user_named(&bot, &input.event, &name));
        Ok(found.unzip())
    };
    host.set("find_user", lua.create_function(find)?)?;
    let shared = SharedRun::clone(run);
    let mentioned = move |_: &Lua, mention: String| {
        let run = shared.borrow();
        Ok(run.input().ok().and_then(|input| run.host.mentioned(&input.event, &mention)))
    };
    host.set("mentioned", lua.create_function(mentioned)?)
}

/// Adds functions for the features and rooms of bots, and for the actions of choices.
fn install_bots(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    host.set(
        "can",
        lua.create_function(move |_, (bot, what): (String, String)| {
            let host = shared.borrow().host.clone();
            Ok(host.can(&bot, &what))
        })?,
    )?;
    host.set("bot_of", lua.create_function(|_, room: String| Ok(RoomId::from(room).bot().to_owned()))?)?;
    let shared = SharedRun::clone(run);
    host.set(
        "choice_action",
        lua.create_function(move |_, ()| {
            Ok(shared.borrow().input().map(|i| format!("choose:{}:{}", i.run.seq, i.run.step_text())).ok())
        })?,
    )
}
