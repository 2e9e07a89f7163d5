//! Matching of requests to routes, validation of their bodies, and responses.

use serde_json::{Map, Value};

use crate::declarations::{FieldSpec, FieldType, RouteSpec};

/// The response of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteReply {
    /// The status code.
    pub status: u16,
    /// The headers: names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl RouteSpec {
    /// Returns the variable parts of `path`, by name; `None` if the path does not match.
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Map<String, Value>> {
        let mut params = Map::new();
        let (mut own, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (own.next(), given.next()) {
                (None, None) => return Some(params),
                (Some(own), Some(given)) => match own.strip_prefix('{').and_then(|own| own.strip_suffix('}')) {
                    Some(name) if !given.is_empty() => drop(params.insert(name.to_owned(), given.into())),
                    None if own == given => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }

    /// Validates a body against the fields that the route declares.
    ///
    /// # Errors
    /// Returns all problems, one sentence each.
    pub fn check_body(&self, body: &Value) -> Result<(), Vec<String>> {
        let Some(fields) = &self.body else { return Ok(()) };
        let Value::Object(map) = body else { return Err(vec!["the body must be an object with fields".to_owned()]) };
        let mut wrong: Vec<_> = map
            .keys()
            .filter(|name| !fields.contains_key(*name))
            .map(|name| format!("there is no field {name}"))
            .collect();
        for (name, field) in fields {
            match map.get(name) {
                None | Some(Value::Null) if field.optional => {}
                None | Some(Value::Null) => wrong.push(format!("{name} is missing")),
                Some(value) => wrong.extend(misfit(field, value).map(|what| format!("{name} {what}"))),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn misfit(field: &FieldSpec, value: &Value) -> Option<String> {
    let size = match (field.kind, value) {
        (FieldType::String, Value::String(text)) => Some(text.chars().count() as f64),
        (FieldType::Integer, Value::Number(number)) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => {
            number.as_f64()
        }
        (FieldType::Number, Value::Number(number)) => number.as_f64(),
        (FieldType::Boolean, Value::Bool(_)) | (FieldType::Map, Value::Object(_)) => None,
        (FieldType::List, Value::Array(list)) => Some(list.len() as f64),
        (kind, _) => return Some(format!("is a {}", kind.as_str())),
    };
    match (size, field.min, field.max) {
        (Some(size), Some(min), _) if size < min => Some(format!("is at least {min}")),
        (Some(size), _, Some(max)) if size > max => Some(format!("is at most {max}")),
        _ => None,
    }
}

impl FieldType {
    /// Returns the type's name in scripts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Map => "map",
        }
    }
}

impl RouteReply {
    /// Builds the response from a function's result.
    ///
    /// A result is nothing, a string, or a table with `status`, `json` or `text` or `html`, and `headers`.
    ///
    /// # Errors
    /// Returns an error text if it is something else.
    pub fn of(result: &Value) -> Result<Self, String> {
        let first = result.as_array().and_then(|values| values.first()).unwrap_or(&Value::Null);
        let plain = |kind: &str| vec![("content-type".to_owned(), format!("{kind}; charset=utf-8"))];
        let map = match first {
            Value::Null => return Ok(Self { status: 204, headers: Vec::new(), body: String::new() }),
            Value::String(text) => return Ok(Self { status: 200, headers: plain("text/plain"), body: text.clone() }),
            Value::Object(map) => map,
            _ => return Err("a route returns nothing, a text, or a table with status, json, text or html".to_owned()),
        };
        let known = ["status", "json", "text", "html", "headers"];
        if let Some(unknown) = map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("a route's response has no field {unknown}; its fields are {}", known.join(", ")));
        }
        let (mut headers, body) = match (map.get("json"), map.get("text"), map.get("html")) {
            (Some(json), _, _) => (vec![("content-type".to_owned(), "application/json".to_owned())], json.to_string()),
            (_, Some(text), _) => (plain("text/plain"), text_of(text)),
            (_, _, Some(html)) => (plain("text/html"), text_of(html)),
            _ => (Vec::new(), String::new()),
        };
        for (name, value) in map.get("headers").and_then(Value::as_object).into_iter().flatten() {
            let name = name.to_lowercase();
            headers.retain(|(other, _)| *other != name);
            headers.push((name, text_of(value)));
        }
        let status = match map.get("status") {
            None => 200,
            Some(status) => status
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (200..=599).contains(status))
                .ok_or_else(|| format!("a status is a number from 200 to 599, not {status}"))?,
        };
        Ok(Self { status, headers, body })
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
