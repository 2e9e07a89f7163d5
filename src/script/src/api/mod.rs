//! The host functions that the prelude calls. Each returns `value, problem`.

mod answering;
mod check;
mod command;
mod content;
mod declare;
mod locale;
mod log_json_random;
mod message;
mod metric;
mod moderate;
mod ranking;
mod storage;
mod strings;
mod text;
mod time;
mod web;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{FromLuaMulti, IntoLua, Lua, Table};
use palabre_model::ActionKey;

use self::command::RuntimeTexts;
use crate::locale::Locales;
use crate::run::{Problem, Run, SharedRun};

/// The return values of a host function: the value, or the problem.
pub(crate) type Reply<T> = (Option<T>, Option<Problem>);

pub(crate) fn reply<T>(result: Result<T, Problem>) -> Reply<T> {
    match result {
        Ok(value) => (Some(value), None),
        Err(problem) => (None, Some(problem)),
    }
}

/// The return values of a function that requests an action: the parts of the action key, or the problem.
pub(crate) type Sent = (Option<f64>, Option<Problem>, Option<u32>, Option<u32>);

pub(crate) fn sent(key: Result<ActionKey, Problem>) -> Sent {
    match key {
        Ok(key) => (Some(key.seq as f64), None, Some(key.part), Some(key.index)),
        Err(problem) => (None, Some(problem), None, None),
    }
}

/// Returns the table of all host functions. `locales` has the script's own texts.
pub(crate) fn install(lua: &Lua, run: &SharedRun, locales: Locales) -> mlua::Result<Table> {
    let host = lua.create_table()?;
    strings::install(lua, &host, run)?;
    storage::install(lua, &host, run)?;
    ranking::install(lua, &host, run)?;
    message::install(lua, &host, run)?;
    answering::install(lua, &host, run)?;
    log_json_random::install(lua, &host, run)?;
    metric::install(lua, &host, run)?;
    time::install(lua, &host, run)?;
    text::install(lua, &host, run)?;
    web::install(lua, &host, run)?;
    let locales = Rc::new(locales);
    let runtime_texts = Rc::new(RuntimeTexts::new(Rc::clone(&locales))?);
    moderate::install(lua, &host, run, &runtime_texts)?;
    declare::install(lua, &host, run, Rc::clone(&locales))?;
    locale::install(lua, &host, run, Rc::clone(&locales))?;
    command::install(lua, &host, run, runtime_texts)?;
    Ok(host)
}

/// Adds a function that works on the current run.
fn add<A, T, F>(lua: &Lua, host: &Table, name: &str, run: &SharedRun, function: F) -> mlua::Result<()>
where
    A: FromLuaMulti,
    T: IntoLua,
    F: Fn(&Lua, &RefCell<Run>, A) -> Result<T, Problem> + 'static,
{
    let run = SharedRun::clone(run);
    host.set(name, lua.create_function(move |lua, arguments: A| Ok(reply(function(lua, &run, arguments))))?)
}

/// Adds a function that requests an action and returns the parts of the action key.
fn acting<A, F>(lua: &Lua, host: &Table, name: &str, run: &SharedRun, function: F) -> mlua::Result<()>
where
    A: FromLuaMulti,
    F: Fn(&Lua, &RefCell<Run>, A) -> Result<ActionKey, Problem> + 'static,
{
    let run = SharedRun::clone(run);
    host.set(name, lua.create_function(move |lua, arguments: A| Ok(sent(function(lua, &run, arguments))))?)
}
