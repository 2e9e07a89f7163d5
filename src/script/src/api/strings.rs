//! Linear-time replacements for `string.find` and `string.split`, which never check the VM's interrupt.

use std::cell::RefCell;

use memchr::memmem;
use mlua::{Lua, LuaString, Table, Value as LuaValue};

use super::function::add;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::watch::STOPPED;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    host.set("find", lua.create_function(find)?)?;
    add(lua, host, "split", run, |lua, run, (text, separator): (LuaValue, LuaValue)| {
        let (LuaValue::String(text), LuaValue::String(_) | LuaValue::Nil) = (&text, &separator) else {
            return Err("string.split takes a string and a separator".to_owned());
        };
        split(lua, run, text, separator.as_string())
    })
}

/// `string.find` for patterns without special characters: first and last position, or nil.
fn find(
    _: &Lua,
    (text, pattern, init): (LuaString, LuaString, Option<f64>),
) -> mlua::Result<(Option<usize>, Option<usize>)> {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let length = text.len() as i64;
    let start = match init.unwrap_or(1.0) as i64 {
        n if n > 0 => n - 1,
        0 => 0,
        n => length.saturating_add(n).max(0),
    };
    if start > length {
        return Ok((None, None));
    }
    let start = start as usize;
    Ok(match memmem::find(&text[start..], &pattern) {
        Some(at) => (Some(start + at + 1), Some(start + at + pattern.len())),
        None => (None, None),
    })
}

/// The number of parts between two checks of the CPU budget.
const CHECK_INTERVAL: usize = 64;

/// `string.split`: an empty separator splits into single bytes.
fn split(lua: &Lua, run: &RefCell<Run>, text: &LuaString, separator: Option<&LuaString>) -> Result<Table, Problem> {
    let text = text.as_bytes();
    let separator = separator.map_or_else(|| b",".to_vec(), |separator| separator.as_bytes().to_vec());
    let failed = |error: mlua::Error| run.borrow_mut().failed(&error);
    let parts = lua.create_table().map_err(failed)?;
    let mut count = 0;
    let mut push = |part: &[u8]| {
        count += 1;
        if count % CHECK_INTERVAL == 0 && run.borrow().is_stopped() {
            return Err(STOPPED.to_owned());
        }
        parts.raw_push(lua.create_string(part).map_err(failed)?).map_err(failed)
    };
    if separator.is_empty() {
        for byte in text.chunks(1) {
            push(byte)?;
        }
        return Ok(parts);
    }
    let mut from = 0;
    for at in memmem::find_iter(&text, &separator) {
        push(&text[from..at])?;
        from = at + separator.len();
    }
    push(&text[from..])?;
    Ok(parts)
}
