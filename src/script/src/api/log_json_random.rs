//! `log`, `json`, `random`.

use std::cell::RefCell;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use rand::RngExt;
use serde_json::Value;

use super::function::add;
use crate::limits::LOG_BYTES;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::{log_line, value};

/// The maximum length of a JSON text, in bytes.
const JSON_BYTES: usize = 1 << 20;
/// The maximum number of values in a JSON text.
///
/// Parsing does not check the CPU budget, and each value takes memory of the host.
const JSON_VALUES: usize = 200_000;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    host.set("null", LuaValue::NULL)?;
    add(lua, host, "log", run, |_, run, (level, message, fields): (String, LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        if let Err(limit) = run.count_log_line() {
            return Err(run.trip(limit));
        }
        let fields = match fields {
            LuaValue::Nil => String::new(),
            fields => value::from_lua(&fields, LOG_BYTES).map_or_else(|problem| problem, |fields| fields.to_string()),
        };
        log_line::write(run.script.as_str(), &level, &message.to_string_lossy(), &fields);
        Ok(true)
    })?;
    add(lua, host, "json_encode", run, |_, run, (value, pretty): (LuaValue, bool)| encode(run, &value, pretty))?;
    add(lua, host, "json_decode", run, |lua, run, text: LuaString| decode(lua, run, &text))?;
    let shared = SharedRun::clone(run);
    host.set("random", lua.create_function(move |_, ()| Ok(shared.borrow_mut().random().random::<f64>()))?)?;
    add(lua, host, "random_integer", run, |_, run, (low, high): (f64, f64)| {
        let whole = |n: f64| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0;
        if !(whole(low) && whole(high) && low <= high) {
            return Err("random.integer takes two whole numbers, the smaller one first".to_owned());
        }
        Ok(run.borrow_mut().random().random_range(low as i64..=high as i64) as f64)
    })
}

fn encode(run: &RefCell<Run>, value: &LuaValue, pretty: bool) -> Result<String, Problem> {
    let watch = run.borrow().watch();
    let value = value::from_lua_within(value, JSON_BYTES, Some(&*watch));
    let value = value.map_err(|problem| format!("json.encode: {problem}"))?;
    let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
    text.map_err(|error| format!("json.encode: {error}"))
}

fn decode(lua: &Lua, run: &RefCell<Run>, text: &LuaString) -> Result<LuaValue, Problem> {
    let text = text.as_bytes();
    if text.len() > JSON_BYTES {
        return Err(format!("json.decode: the text has more than {JSON_BYTES} bytes"));
    }
    if values_in(&text) > JSON_VALUES {
        return Err(format!("json.decode: the text has more than {JSON_VALUES} values, the limit for one text"));
    }
    let value: Value = serde_json::from_slice(&text).map_err(|error| format!("json.decode: {error}"))?;
    let watch = run.borrow().watch();
    value::to_lua_within(lua, &value, &watch).map_err(|error| run.borrow_mut().failed(&error))
}

/// Returns an upper bound for the number of values in a JSON text.
///
/// Each value but the first follows a comma or an opening bracket.
fn values_in(text: &[u8]) -> usize {
    let (mut values, mut in_text, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}
