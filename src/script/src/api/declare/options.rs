//! Options of declarations: a table that a script passes, with known names.

use mlua::Value as LuaValue;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::reply::Problem;
use crate::value;
use crate::yaml::nearest;

/// The maximum size of one declaration, in bytes. The largest is a list of many thousand words.
const DECLARATION_BYTES: usize = 4 << 20;

/// Converts options to a JSON object and checks that all their names are known.
pub(super) fn object(what: &str, options: &LuaValue, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    if options.is_nil() {
        return Ok(Map::new());
    }
    let mut json = value::from_lua(options, DECLARATION_BYTES).map_err(|problem| format!("{what}: {problem}"))?;
    value::fill_lists(&mut json, &["args", "aliases", "choices", "after", "words"]);
    let map = match json {
        Value::Object(map) => map,
        // An empty Lua table may have become a list.
        Value::Array(list) if list.is_empty() => Map::new(),
        _ => return Err(format!("{what}: options are a table with names")),
    };
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(map),
        Some(unknown) => {
            Err(format!("{what}: there is no option {unknown}{}", nearest(unknown, known.iter().copied())))
        }
    }
}

/// Reads a declaration from its options. `what` names it in errors.
pub(super) fn read<T: DeserializeOwned>(what: &str, map: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(map)).map_err(|error| format!("{what}: {error}"))
}
