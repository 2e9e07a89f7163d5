//! The host functions that the prelude calls. Each returns `value, problem`.

mod answering;
mod check;
mod command;
mod content;
mod declare;
mod function;
mod locale;
mod log_json_random;
mod lookup;
mod message;
mod metric;
mod moderate;
mod outcome;
mod ranking;
mod rate_limit;
mod storage;
mod strings;
mod text;
mod time;
mod timers;
mod web;

use std::rc::Rc;

use mlua::{Lua, Table};

use self::command::RuntimeTexts;
use crate::locale::Locales;
use crate::run::SharedRun;

/// Returns the table of all host functions. `locales` has the script's own texts.
pub(crate) fn install(lua: &Lua, run: &SharedRun, locales: Locales) -> mlua::Result<Table> {
    let host = lua.create_table()?;
    strings::install(lua, &host, run)?;
    storage::install(lua, &host, run)?;
    rate_limit::install(lua, &host, run)?;
    timers::install(lua, &host, run)?;
    ranking::install(lua, &host, run)?;
    message::install(lua, &host, run)?;
    lookup::install(lua, &host, run)?;
    answering::install(lua, &host, run)?;
    log_json_random::install(lua, &host, run)?;
    metric::install(lua, &host, run)?;
    time::install(lua, &host, run)?;
    text::install(lua, &host, run)?;
    web::install(lua, &host, run)?;
    let locales = Rc::new(locales);
    let runtime_texts = Rc::new(RuntimeTexts::new(Rc::clone(&locales))?);
    moderate::install(lua, &host, run, &runtime_texts)?;
    outcome::install(lua, &host, run, &runtime_texts)?;
    declare::install(lua, &host, run, Rc::clone(&locales))?;
    locale::install(lua, &host, run, Rc::clone(&locales))?;
    command::install(lua, &host, run, runtime_texts)?;
    Ok(host)
}
