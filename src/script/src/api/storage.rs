//! `store`: the stored values of the script.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Change, decode_value, encode_value};
use serde_json::Value;

use super::check::millis;
use super::function::add;
use crate::limits::{KEY_BYTES, VALUE_BYTES};
use crate::reply::Problem;
use crate::run::SharedRun;
use crate::value;

/// The maximum number of rows that one scan returns.
const PAGE_ROWS_MAX: usize = 1_000;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    install_values(lua, host, run)?;
    install_scan(lua, host, run)
}

/// Adds functions that read and write single values.
fn install_values(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "get", run, |lua, run, (scope, name): (LuaString, LuaValue)| {
        let key = key(&scope, &name)?;
        run.borrow().input()?;
        let found = run.borrow().read(&key)?;
        match found {
            Some(stored) => {
                let watch = run.borrow().watch();
                let value = value::to_lua_within(lua, &decode_value(&stored.value)?, &watch);
                value.map_err(|error| run.borrow_mut().failed(&error))
            }
            None => Ok(LuaValue::Nil),
        }
    })?;
    add(
        lua,
        host,
        "set",
        run,
        |_, run, (scope, name, new, ttl, keep): (LuaString, LuaValue, LuaValue, LuaValue, bool)| {
            let key = key(&scope, &name)?;
            if new.is_nil() {
                return run.borrow_mut().write(key, Change::Delete).map(|()| true);
            }
            let new = value::from_lua(&new, VALUE_BYTES)
                .map_err(|problem| format!("this value cannot be stored: {problem}"))?;
            if new.is_null() {
                return run.borrow_mut().write(key, Change::Delete).map(|()| true);
            }
            let ttl = if ttl.is_nil() { None } else { Some(millis(&ttl)?) };
            let mut run = run.borrow_mut();
            let expires = match ttl {
                Some(ttl) => Some(run.now().saturating_add(ttl)),
                None if keep => run.read(&key)?.and_then(|old| old.expires),
                None => None,
            };
            run.write(key, Change::Set { value: encode_value(&new).into(), expires }).map(|()| true)
        },
    )?;
    add(lua, host, "delete", run, |_, run, (scope, name): (LuaString, LuaValue)| {
        run.borrow_mut().write(key(&scope, &name)?, Change::Delete).map(|()| true)
    })?;
    add(lua, host, "incr", run, |_, run, (scope, name, by): (LuaString, LuaValue, f64)| {
        let key = key(&scope, &name)?;
        let mut run = run.borrow_mut();
        run.input()?;
        let old = run.read(&key)?;
        let (number, size, expires) = match &old {
            None => (0.0, 0, None),
            Some(stored) => match decode_value(&stored.value)? {
                Value::Number(number) => {
                    (number.as_f64().unwrap_or(f64::NAN), key.len() + stored.value.len(), stored.expires)
                }
                _ => return Err("store.incr: the stored value is not a number".to_owned()),
            },
        };
        let sum = number + by;
        let new = value::number(sum).ok_or_else(|| format!("store.incr: {sum} is not a number that can be stored"))?;
        run.write_over(key, size, Change::Set { value: encode_value(&new).into(), expires })?;
        Ok(sum)
    })
}

fn install_scan(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(
        lua,
        host,
        "scan",
        run,
        |lua, run, (scope, prefix, after, backward, limit): (LuaString, LuaString, Option<LuaString>, bool, f64)| {
            let start = scoped(&scope, &prefix.as_bytes());
            let after = after.map(|after| scoped(&scope, &after.as_bytes()));
            let skip = scope.as_bytes().len() + 1;
            let limit = (limit.max(1.0) as usize).min(PAGE_ROWS_MAX);
            let rows = run.borrow().scan(&start, after.as_deref(), backward, limit)?;
            let watch = run.borrow().watch();
            let page = || {
                let page = lua.create_table_with_capacity(rows.len() * 2, 0)?;
                for (key, stored) in &rows {
                    page.raw_push(lua.create_string(&key[skip..])?)?;
                    let value = decode_value(&stored.value).map_err(mlua::Error::runtime)?;
                    page.raw_push(value::to_lua_within(lua, &value, &watch)?)?;
                }
                Ok(page)
            };
            page().map_err(|error: mlua::Error| run.borrow_mut().failed(&error))
        },
    )
}

fn key(scope: &LuaString, name: &LuaValue) -> Result<Vec<u8>, Problem> {
    let key = match name {
        LuaValue::String(name) => scoped(scope, &name.as_bytes()),
        other => return Err(format!("a key is a string; this one is a {} (use tostring)", other.type_name())),
    };
    let length = key.len() - scope.as_bytes().len() - 1;
    if !(1..=KEY_BYTES).contains(&length) {
        return Err(format!("a key has 1 to {KEY_BYTES} bytes; this one has {length}"));
    }
    Ok(key)
}

/// Returns the key of a name in a scope.
///
/// Scopes contain no zero byte (`store.of` checks that), so the first one in a key ends its scope.
fn scoped(scope: &LuaString, name: &[u8]) -> Vec<u8> {
    let scope = scope.as_bytes();
    let mut key = Vec::with_capacity(scope.len() + 1 + name.len());
    key.extend_from_slice(&scope);
    key.push(0);
    key.extend_from_slice(name);
    key
}
