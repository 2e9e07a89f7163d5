//! Conversion of values between Lua and JSON.
//!
//! Depth and size of what leaves the VM are checked, because a table can contain itself.

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

use crate::limits::VALUE_DEPTH;
use crate::watch::{STOPPED, Watch};

/// The largest integer that a Lua number holds exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Checks the CPU budget at intervals during long work.
struct Pace<'w> {
    watch: Option<&'w Watch>,
    steps: u32,
}

impl<'w> Pace<'w> {
    /// The number of values between two checks.
    const ASKED_EVERY: u32 = 64;

    fn new(watch: Option<&'w Watch>) -> Self {
        Self { watch, steps: 0 }
    }

    /// Counts one value; returns false if the CPU budget is used up.
    fn may_continue(&mut self) -> bool {
        self.steps = self.steps.wrapping_add(1);
        !self.steps.is_multiple_of(Self::ASKED_EVERY) || !self.watch.is_some_and(Watch::is_expired)
    }
}

/// The remaining budget of a conversion: bytes, and CPU time.
struct Budget<'w> {
    bytes: usize,
    pace: Pace<'w>,
}

/// Converts a Lua value to JSON, of at most `max_bytes` in all.
pub(crate) fn from_lua(value: &LuaValue, max_bytes: usize) -> Result<Value, String> {
    from_lua_within(value, max_bytes, None)
}

/// Like [`from_lua`], within the script's CPU budget.
pub(crate) fn from_lua_within(value: &LuaValue, max_bytes: usize, watch: Option<&Watch>) -> Result<Value, String> {
    let mut left = Budget { bytes: max_bytes, pace: Pace::new(watch) };
    convert(value, 0, &mut left).map_err(|problem| match problem {
        Problem::Stopped => STOPPED.to_owned(),
        Problem::TooLarge => format!("it is larger than {max_bytes} bytes"),
        Problem::TooDeep => format!("it nests tables more than {VALUE_DEPTH} deep (or one contains itself)"),
        Problem::Other(text) => text,
    })
}

/// Turns empty maps under these names, at any depth, into lists: an empty Lua table could be either.
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
    Stopped,
    TooLarge,
    TooDeep,
    Other(String),
}

fn convert(value: &LuaValue, depth: usize, left: &mut Budget<'_>) -> Result<Value, Problem> {
    spend(left, 8)?;
    if !left.pace.may_continue() {
        return Err(Problem::Stopped);
    }
    Ok(match value {
        LuaValue::Nil => Value::Null,
        LuaValue::LightUserData(pointer) if pointer.0.is_null() => Value::Null,
        LuaValue::Boolean(yes) => Value::Bool(*yes),
        LuaValue::Integer(n) => Value::Number((*n).into()),
        LuaValue::Number(n) => {
            number(*n).ok_or_else(|| Problem::Other(format!("{n} cannot be represented in JSON")))?
        }
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

fn convert_table(table: &Table, depth: usize, left: &mut Budget<'_>) -> Result<Value, Problem> {
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
                    // Only the hash part of a table comes out of order; put the element in its place.
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

fn spend(left: &mut Budget<'_>, bytes: usize) -> Result<(), Problem> {
    left.bytes = left.bytes.checked_sub(bytes).ok_or(Problem::TooLarge)?;
    Ok(())
}

/// Returns an integer for a whole number, which is stored in fewer bytes and read back as it was.
pub(crate) fn number(n: f64) -> Option<Value> {
    if n.fract() == 0.0 && n.abs() <= MAX_EXACT {
        return Some(Value::Number((n as i64).into()));
    }
    Number::from_f64(n).map(Value::Number)
}

/// Converts a JSON value to Lua; null becomes nil.
pub(crate) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    put(lua, value, &mut Pace::new(None))
}

/// Like [`to_lua`], within the script's CPU budget.
pub(crate) fn to_lua_within(lua: &Lua, value: &Value, watch: &Watch) -> mlua::Result<LuaValue> {
    put(lua, value, &mut Pace::new(Some(watch)))
}

fn put(lua: &Lua, value: &Value, pace: &mut Pace<'_>) -> mlua::Result<LuaValue> {
    if !pace.may_continue() {
        return Err(mlua::Error::runtime(STOPPED));
    }
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(yes) => LuaValue::Boolean(*yes),
        Value::Number(n) => LuaValue::Number(n.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(list) => {
            let table = lua.create_table_with_capacity(list.len(), 0)?;
            for (index, value) in list.iter().enumerate() {
                // A hole would make the following elements unreachable for the length operator.
                let value = if value.is_null() { LuaValue::NULL } else { put(lua, value, pace)? };
                table.raw_seti(index + 1, value)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(map) => {
            let table = lua.create_table_with_capacity(0, map.len())?;
            for (key, value) in map {
                table.raw_set(key.as_str(), put(lua, value, pace)?)?;
            }
            LuaValue::Table(table)
        }
    })
}
