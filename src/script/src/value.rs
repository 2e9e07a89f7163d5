//! Values on their way between Lua, JSON and the store. What leaves the VM is checked for depth and size: a table can
//! contain itself, and a recursion of ours must not.

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

use crate::limits::VALUE_DEPTH;

/// The largest integer that a Lua number holds exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as the store keeps it: MessagePack.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    // JSON values always serialise; the alternative to an empty value would be a panic.
    rmp_serde::to_vec(value).unwrap_or_default()
}

/// A value as it was stored.
///
/// # Errors
/// A sentence, when the bytes are no such value.
pub fn decode(bytes: &[u8]) -> Result<Value, String> {
    rmp_serde::from_slice(bytes).map_err(|error| format!("the stored value cannot be read: {error}"))
}

/// What JSON can hold of a Lua value, of at most `max_bytes` in all.
pub(crate) fn from_lua(value: &LuaValue, max_bytes: usize) -> Result<Value, String> {
    let mut left = max_bytes;
    convert(value, 0, &mut left).map_err(|problem| match problem {
        Problem::TooLarge => format!("it is larger than {max_bytes} bytes"),
        Problem::TooDeep => format!("tables lie in it more than {VALUE_DEPTH} deep (or one contains itself)"),
        Problem::Other(text) => text,
    })
}

/// An empty Lua table could be a list or a map. Under these names, however deep, it is a list.
pub(crate) fn fill_lists(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if names.contains(&name.as_str()) && inner.as_object().is_some_and(Map::is_empty) {
                    *inner = Value::Array(Vec::new());
                }
                fill_lists(inner, names);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| fill_lists(inner, names)),
        _ => {}
    }
}

enum Problem {
    TooLarge,
    TooDeep,
    Other(String),
}

fn convert(value: &LuaValue, depth: usize, left: &mut usize) -> Result<Value, Problem> {
    spend(left, 8)?;
    Ok(match value {
        LuaValue::Nil => Value::Null,
        LuaValue::LightUserData(pointer) if pointer.0.is_null() => Value::Null,
        LuaValue::Boolean(yes) => Value::Bool(*yes),
        LuaValue::Integer(n) => Value::Number((*n).into()),
        LuaValue::Number(n) => number(*n).ok_or_else(|| Problem::Other(format!("{n} is no number that JSON knows")))?,
        LuaValue::String(text) => {
            spend(left, text.as_bytes().len())?;
            let text = text.to_str().ok().ok_or_else(|| Problem::Other("a string in it is not UTF-8".to_owned()))?;
            Value::String(text.to_string())
        }
        LuaValue::Table(table) => {
            if depth >= VALUE_DEPTH {
                return Err(Problem::TooDeep);
            }
            convert_table(table, depth, left)?
        }
        other => return Err(Problem::Other(format!("a {} cannot be kept outside the script", other.type_name()))),
    })
}

fn convert_table(table: &Table, depth: usize, left: &mut usize) -> Result<Value, Problem> {
    let length = table.raw_len();
    let mut list = Vec::new();
    let mut map = Map::new();
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let (key, value) = pair.map_err(|error| Problem::Other(error.to_string()))?;
        let position = match &key {
            LuaValue::Integer(n) => usize::try_from(*n).ok(),
            LuaValue::Number(n) if n.fract() == 0.0 && (1.0..=MAX_EXACT).contains(n) => Some(*n as usize),
            _ => None,
        };
        match (position, key) {
            (Some(position), _) if (1..=length).contains(&position) && map.is_empty() => {
                let value = convert(&value, depth + 1, left)?;
                if position == list.len() + 1 {
                    list.push(value);
                } else {
                    // Out of order only when part of the list lies in the hash part; put it in its place.
                    spend(left, position.saturating_sub(list.len()).saturating_mul(8))?;
                    list.resize(list.len().max(position), Value::Null);
                    list[position - 1] = value;
                }
            }
            (None, LuaValue::String(key)) if list.is_empty() => {
                spend(left, key.as_bytes().len())?;
                let key = key.to_str().ok().ok_or_else(|| Problem::Other("a key in it is not UTF-8".to_owned()))?;
                map.insert(key.to_string(), convert(&value, depth + 1, left)?);
            }
            _ => {
                let what = "a table in it is neither a list (1, 2, 3, …) nor all named keys; \
                            use strings as keys, tostring(id) for numbers";
                return Err(Problem::Other(what.to_owned()));
            }
        }
    }
    Ok(if list.is_empty() { Value::Object(map) } else { Value::Array(list) })
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), Problem> {
    *left = left.checked_sub(bytes).ok_or(Problem::TooLarge)?;
    Ok(())
}

/// Whole numbers as integers, so that they are stored small and read back whole.
pub(crate) fn number(n: f64) -> Option<Value> {
    if n.fract() == 0.0 && n.abs() <= MAX_EXACT {
        return Some(Value::Number((n as i64).into()));
    }
    Number::from_f64(n).map(Value::Number)
}

/// A JSON value as Lua sees it; null is nil.
pub(crate) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(yes) => LuaValue::Boolean(*yes),
        Value::Number(n) => LuaValue::Number(n.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(list) => {
            let table = lua.create_table_with_capacity(list.len(), 0)?;
            for (index, value) in list.iter().enumerate() {
                // A hole would make the rest unreachable by the length operator.
                let value = if value.is_null() { LuaValue::NULL } else { to_lua(lua, value)? };
                table.raw_seti(index + 1, value)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(map) => {
            let table = lua.create_table_with_capacity(0, map.len())?;
            for (key, value) in map {
                table.raw_set(key.as_str(), to_lua(lua, value)?)?;
            }
            LuaValue::Table(table)
        }
    })
}
