//! `exports`: functions that other scripts may call.

use mlua::{Lua, LuaString, Table};

use super::admission::{keep, loading, room_for};
use crate::api::check::name as named;
use crate::api::function::add;
use crate::run::SharedRun;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "declare_export", run, |_, run, name: LuaString| {
        let mut run = run.borrow_mut();
        room_for(run.declared.exports.len(), "exports")?;
        loading(&run, "exports")?;
        let name = named(&name, "an exported function's name")?;
        if !run.declared.exports.contains(&name) {
            keep(&mut run, &name, 0)?;
            run.declared.exports.push(name);
        }
        Ok(true)
    })
}
