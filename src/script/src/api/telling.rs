//! `log`, `metrics`, `json`, `random`.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use rand::RngExt;
use serde_json::Value;

use super::{add, reply};
use crate::effects::MetricChange;
use crate::limits::{LOG_BYTES, Limit};
use crate::run::{Problem, SharedRun};
use crate::value;

/// How large a JSON text may be.
const JSON_BYTES: usize = 1 << 20;

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
    host.set(
        "json_encode",
        lua.create_function(|_, (value, pretty): (LuaValue, bool)| Ok(reply(encode(&value, pretty))))?,
    )?;
    host.set("json_decode", lua.create_function(|lua, text: LuaString| Ok(reply(decode(lua, &text))))?)?;
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

fn encode(value: &LuaValue, pretty: bool) -> Result<String, Problem> {
    let value = value::from_lua(value, JSON_BYTES).map_err(|problem| format!("json.encode: {problem}"))?;
    let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
    text.map_err(|error| format!("json.encode: {error}"))
}

fn decode(lua: &Lua, text: &LuaString) -> Result<LuaValue, Problem> {
    if text.as_bytes().len() > JSON_BYTES {
        return Err(format!("json.decode: the text has more than {JSON_BYTES} bytes"));
    }
    let value: Value = serde_json::from_slice(&text.as_bytes()).map_err(|error| format!("json.decode: {error}"))?;
    value::to_lua(lua, &value).map_err(|error| error.to_string())
}
