//! `log`, `metrics`, `json`, `random`.

use std::cell::RefCell;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use rand::RngExt;
use serde_json::Value;

use super::add;
use crate::effects::MetricChange;
use crate::limits::{LOG_BYTES, Limit};
use crate::run::{Problem, Run, SharedRun};
use crate::value;

/// How large a JSON text may be.
const JSON_BYTES: usize = 1 << 20;
/// How many values may be in it: parsing does not ask whether the script's time is over, and each takes memory of the host's.
const JSON_VALUES: usize = 200_000;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    host.set("null", LuaValue::NULL)?;
    add(lua, host, "log", run, |_, run, (level, message, fields): (String, LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        let limit = run.limits.log_lines_per_run;
        run.log_lines += 1;
        if run.log_lines > limit {
            return Err(run.trip(Limit::LogOfRun(limit)));
        }
        let (now, limit) = (run.now(), run.limits.log_lines_per_minute);
        if !run.log_meter.count(now, limit) {
            return Err(run.trip(Limit::Log(limit)));
        }
        let fields = match fields {
            LuaValue::Nil => String::new(),
            fields => value::from_lua(&fields, LOG_BYTES).map_or_else(|problem| problem, |fields| fields.to_string()),
        };
        line(run.script.as_str(), &level, &cut(&message.to_string_lossy()), &fields);
        Ok(true)
    })?;
    add(lua, host, "metric", run, |_, run, (kind, name, by, labels): (String, LuaString, f64, LuaValue)| {
        let name = name.to_string_lossy();
        let fits = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !fits(&name) {
            return Err("a metric's name has 1 to 64 small letters, digits and _".to_owned());
        }
        if !by.is_finite() || (kind == "count" && by < 0.0) {
            return Err("metrics.count adds a number that is not negative; metrics.observe notes a number".to_owned());
        }
        let labels = match value::from_lua(&labels, LOG_BYTES)? {
            Value::Null => Vec::new(),
            Value::Object(map) if map.len() <= 8 => map
                .into_iter()
                .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
                .collect(),
            _ => return Err("labels are a table of at most 8 names and texts".to_owned()),
        };
        if !labels.iter().all(|(name, _)| fits(name) && name != "script") {
            return Err("a label's name has 1 to 64 small letters, digits and _, and is not script".to_owned());
        }
        let mut run = run.borrow_mut();
        run.spend_output(128 + labels.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>())?;
        run.measure(MetricChange { name: name.clone(), is_count: kind == "count", by, labels })?;
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

fn line(script: &str, level: &str, message: &str, fields: &str) {
    match (level, fields) {
        ("debug", "") => tracing::debug!(target: "script", script, "{message}"),
        ("debug", _) => tracing::debug!(target: "script", script, fields, "{message}"),
        ("warn", "") => tracing::warn!(target: "script", script, "{message}"),
        ("warn", _) => tracing::warn!(target: "script", script, fields, "{message}"),
        ("error", "") => tracing::error!(target: "script", script, "{message}"),
        ("error", _) => tracing::error!(target: "script", script, fields, "{message}"),
        (_, "") => tracing::info!(target: "script", script, "{message}"),
        (_, _) => tracing::info!(target: "script", script, fields, "{message}"),
    }
}

/// At most so much of a line, and no line breaks or control characters: a script must not write lines of others' into the log.
fn cut(message: &str) -> String {
    let mut end = message.len().min(LOG_BYTES);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message[..end].chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
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

/// How many values a JSON text has at the most: each but the first stands behind a comma or an opening bracket.
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
