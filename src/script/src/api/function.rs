//! Registration of host functions that work on the current run.

use std::cell::RefCell;

use mlua::{FromLuaMulti, IntoLua, Lua, Table};
use palabre_types::ActionKey;

use crate::reply::{Problem, reply, sent};
use crate::run::{Run, SharedRun};

/// Adds a function that works on the current run.
pub(super) fn add<A, T, F>(lua: &Lua, host: &Table, name: &str, run: &SharedRun, function: F) -> mlua::Result<()>
where
    A: FromLuaMulti,
    T: IntoLua,
    F: Fn(&Lua, &RefCell<Run>, A) -> Result<T, Problem> + 'static,
{
    let run = SharedRun::clone(run);
    host.set(name, lua.create_function(move |lua, arguments: A| Ok(reply(function(lua, &run, arguments))))?)
}

/// Adds a function that requests an action and returns the fields of its handle.
pub(super) fn acting<A, F>(lua: &Lua, host: &Table, name: &str, run: &SharedRun, function: F) -> mlua::Result<()>
where
    A: FromLuaMulti,
    F: Fn(&Lua, &RefCell<Run>, A) -> Result<ActionKey, Problem> + 'static,
{
    let run = SharedRun::clone(run);
    host.set(name, lua.create_function(move |lua, arguments: A| Ok(sent(function(lua, &run, arguments))))?)
}
