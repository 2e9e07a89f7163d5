//! Validation of a script's `config` against its schema, and completion with defaults.

use std::collections::BTreeMap;
use std::fmt;

use palabre_types::parse_duration;
use serde_json::{Map, Value};

use super::contents::Manifest;
use super::field::{ConfigField, ConfigKind, Measure};
use crate::yaml::nearest;

/// The maximum length of a value that is repeated in a message, in characters.
const SHOWN_CHARS: usize = 40;

/// A problem with one value of a script's `config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The dotted path: `prizes.2.name`.
    ///
    /// The first part is the key in bots.yaml; lists are counted from 1.
    pub key: String,
    /// The expectation, and what was found instead.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Returns the values of `fields` at the path `at`, with defaults for those that are missing.
pub(super) fn fill(
    fields: &BTreeMap<String, ConfigField>,
    given: &Map<String, Value>,
    at: &str,
    faults: &mut Vec<ConfigFault>,
) -> Map<String, Value> {
    for key in given.keys().filter(|key| !fields.contains_key(key.as_str())) {
        faults.push(ConfigFault { key: join(at, key), message: unknown(key, fields) });
    }
    let mut filled = Map::new();
    for (key, field) in fields {
        let path = join(at, key);
        let value = match given.get(key).filter(|value| !value.is_null()) {
            Some(value) => Some(check(field, value, &path, faults)),
            None => left_out(field, &path, faults),
        };
        if let Some(value) = value {
            filled.insert(key.clone(), value);
        }
    }
    filled
}

/// Validates a value and adds defaults within it. Problems are added to `faults`.
pub(super) fn check(field: &ConfigField, value: &Value, at: &str, faults: &mut Vec<ConfigFault>) -> Value {
    if let Some(message) = problem(field, value, at) {
        faults.push(ConfigFault { key: at.to_owned(), message });
        return value.clone();
    }
    match (&field.kind, value) {
        (ConfigKind::List(Some(item)), Value::Array(list)) => {
            let numbered = (1..).zip(list);
            Value::Array(
                numbered.map(|(number, value)| check(item, value, &format!("{at}.{number}"), faults)).collect(),
            )
        }
        (ConfigKind::Map(Some(fields)), Value::Object(map)) => Value::Object(fill(fields, map, at, faults)),
        _ => value.clone(),
    }
}

fn left_out(field: &ConfigField, at: &str, faults: &mut Vec<ConfigFault>) -> Option<Value> {
    if field.default.is_some() {
        return field.default.clone();
    }
    if field.required {
        let message = format!("this is required: {} is expected, but nothing is set", field.kind.expected());
        faults.push(ConfigFault { key: at.to_owned(), message });
        return None;
    }
    // A missing map still has the defaults of its keys, unless one of them is required.
    let ConfigKind::Map(Some(fields)) = &field.kind else { return None };
    let mut inner = Vec::new();
    let filled = fill(fields, &Map::new(), at, &mut inner);
    (inner.is_empty() && !filled.is_empty()).then_some(Value::Object(filled))
}

/// Returns the problem of a value itself, not of values nested in it.
fn problem(field: &ConfigField, value: &Value, at: &str) -> Option<String> {
    let secret = Manifest::is_secret(at);
    match (&field.kind, value) {
        (ConfigKind::String, Value::String(text)) => out_of_bounds(field, as_bound(text.chars().count()), secret),
        (ConfigKind::List(_), Value::Array(list)) => out_of_bounds(field, as_bound(list.len()), secret),
        (ConfigKind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            number.as_f64().and_then(|number| out_of_bounds(field, number, secret))
        }
        (ConfigKind::Number, Value::Number(number)) => {
            number.as_f64().and_then(|number| out_of_bounds(field, number, secret))
        }
        (ConfigKind::Duration, Value::String(text)) if parse_duration(text).is_some() => None,
        (ConfigKind::Duration, Value::Number(number)) if parse_duration(&number.to_string()).is_some() => None,
        (ConfigKind::Choice(choices), _) => (!choices.contains(value)).then(|| not_among(choices, value, secret)),
        (ConfigKind::Boolean, Value::Bool(_))
        | (ConfigKind::Map(_), Value::Object(_))
        | (ConfigKind::User | ConfigKind::Room | ConfigKind::Role, Value::String(_)) => None,
        (ConfigKind::Duration, Value::String(_)) => {
            Some(format!("{} is expected, and this is {}", field.kind.expected(), shown(value, secret)))
        }
        (kind, _) => Some(format!("{} is expected, and this is {}", kind.expected(), found(value, secret))),
    }
}

/// Converts a length to the type of bounds. A length too large to be exact does not fit into memory.
fn as_bound(length: usize) -> f64 {
    length as f64
}

fn out_of_bounds(field: &ConfigField, size: f64, secret: bool) -> Option<String> {
    let (bound, word) = match (field.min, field.max) {
        (Some(min), _) if size < min => (min, "at least"),
        (_, Some(max)) if size > max => (max, "at most"),
        _ => return None,
    };
    Some(match field.kind.measure()? {
        Measure::Length(unit) => format!("{word} {bound} {unit} are expected, and this has {size}"),
        Measure::Value if secret => format!("{word} {bound} is expected"),
        Measure::Value => format!("{word} {bound} is expected, and this is {size}"),
    })
}

fn not_among(choices: &[Value], value: &Value, secret: bool) -> String {
    let names: Vec<_> = choices.iter().map(plain).collect();
    let near = value.as_str().map(|text| nearest(text, names.iter().map(String::as_str))).unwrap_or_default();
    format!("one of {} is expected, and this is {}{near}", names.join(", "), shown(value, secret))
}

fn unknown(key: &str, fields: &BTreeMap<String, ConfigField>) -> String {
    let near = nearest(key, fields.keys().map(String::as_str));
    if !near.is_empty() {
        return format!("the script has no setting of this name{near}");
    }
    let known: Vec<_> = fields.keys().map(String::as_str).collect();
    if known.is_empty() {
        return "the script has no settings".to_owned();
    }
    format!("the script has no setting of this name; it has {}", known.join(", "))
}

/// Describes a value by its type. Strings are not repeated, since they may come from the environment.
fn found(value: &Value, secret: bool) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(_) if secret => "a number".to_owned(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// Describes a value with its contents, unless it is secret.
fn shown(value: &Value, secret: bool) -> String {
    match value {
        Value::String(text) if !secret && text.chars().count() <= SHOWN_CHARS => format!("\"{text}\""),
        _ => found(value, secret),
    }
}

/// Returns a choice as it is written in YAML.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn join(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
