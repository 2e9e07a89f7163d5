//! `command`, `hear`, `every`, `route` and `exports`: the declarations of a script while it loads.

mod admission;
mod command;
mod export;
mod options;
mod pattern;
mod route;
mod task;

use std::rc::Rc;

use mlua::{Lua, Table};

use crate::locale::Locales;
use crate::run::SharedRun;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, locales: Rc<Locales>) -> mlua::Result<()> {
    command::install(lua, host, run, locales)?;
    pattern::install(lua, host, run)?;
    task::install(lua, host, run)?;
    route::install(lua, host, run)?;
    export::install(lua, host, run)
}
