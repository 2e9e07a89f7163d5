//! `metrics`: counters and observations of a script.
//!
//! They are validated at the script's own line, because one invalid name would break the export of all metrics.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::MetricChange;
use serde_json::Value;

use super::check::text;
use super::function::add;
use crate::limits::LOG_BYTES;
use crate::reply::Problem;
use crate::run::SharedRun;
use crate::value;

/// The maximum length of a name, in bytes.
const NAME_MAX: usize = 64;
/// The maximum length of a label's value, in bytes.
const LABEL_BYTES: usize = 128;
/// The maximum number of labels of a series.
const LABELS_MAX: usize = 8;
/// The maximum absolute value, 2^53. Beyond it, small additions to a sum are lost.
const VALUE_MAX: f64 = 9_007_199_254_740_992.0;
/// Suffixes that the exposition format appends to names.
const RESERVED_SUFFIXES: [&str; 6] = ["_total", "_count", "_sum", "_bucket", "_created", "_info"];
/// Labels that the exposition format or the runtime sets.
const RESERVED_LABELS: [&str; 3] = ["le", "quantile", "script"];

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "metric", run, |_, run, (kind, name, by, labels): (String, LuaString, f64, LuaValue)| {
        let prefixed = |problem: Problem| format!("metrics.{kind}: {problem}");
        let change = change(kind == "count", &name, by, &labels).map_err(prefixed)?;
        let mut run = run.borrow_mut();
        run.spend_output(128 + change.labels.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>())?;
        run.measure(change).map_err(prefixed)?;
        Ok(true)
    })
}

fn change(is_count: bool, name: &LuaString, by: f64, labels: &LuaValue) -> Result<MetricChange, Problem> {
    let name = metric_name(text(name)?)?;
    check_amount(by, is_count)?;
    Ok(MetricChange { name, is_count, by, labels: labels_of(labels)? })
}

fn metric_name(name: String) -> Result<String, Problem> {
    if !is_name(&name) {
        return Err(format!("a name has 1 to {NAME_MAX} lower-case letters, digits and _, and begins with a letter"));
    }
    match RESERVED_SUFFIXES.iter().find(|ending| name.ends_with(**ending)) {
        Some(ending) => {
            Err(format!("a name does not end in {ending}, which is put behind it where it belongs; leave it out"))
        }
        None => Ok(name),
    }
}

fn check_amount(by: f64, is_count: bool) -> Result<(), Problem> {
    if is_count && !(0.0..=VALUE_MAX).contains(&by) {
        return Err(format!("the amount must be a number from 0 to {VALUE_MAX}, not {by}"));
    }
    if !(-VALUE_MAX..=VALUE_MAX).contains(&by) {
        return Err(format!("the value must be a number from -{VALUE_MAX} to {VALUE_MAX}, not {by}"));
    }
    Ok(())
}

fn labels_of(labels: &LuaValue) -> Result<Vec<(String, String)>, Problem> {
    let map = match value::from_lua(labels, LOG_BYTES)? {
        Value::Null => return Ok(Vec::new()),
        Value::Object(map) if map.len() <= LABELS_MAX => map,
        _ => return Err(format!("labels are a table of at most {LABELS_MAX} names and texts")),
    };
    let label = |(name, value): (String, Value)| {
        if !is_name(&name) || RESERVED_LABELS.contains(&name.as_str()) {
            return Err(format!(
                "a label's name has 1 to {NAME_MAX} lower-case letters, digits and _, begins with a letter, and is \
                 none of {}",
                RESERVED_LABELS.join(", ")
            ));
        }
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(format!("the label {name} is a text, a number or a boolean"));
            }
        };
        if text.len() > LABEL_BYTES {
            return Err(format!("the label {name} has more than {LABEL_BYTES} bytes"));
        }
        Ok((name, text))
    };
    map.into_iter().map(label).collect()
}

/// Whether a name is valid for Prometheus, restricted to lower case.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
