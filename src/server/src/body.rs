//! Parses request bodies for scripts.
//!
//! The number and depth of values is limited before parsing, so that a request cannot exhaust the
//! memory of a script.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, header};
use palabre_script::{FieldType, RouteSpec};
use serde_json::{Map, Value};

/// The maximum nesting depth of lists and objects.
const DEPTH_MAX: usize = 32;
/// The maximum number of problems reported for one body.
const PROBLEMS_MAX: usize = 20;
/// The largest integer that a number of a script represents exactly.
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/// The rejection of a body: the status, and the problems found.
pub(crate) type Refusal = (StatusCode, Vec<String>);

/// Converts a body to the value that the script gets.
///
/// If the route declares fields, it is an object, from JSON or a form. Otherwise it is the text, or
/// null if the request has no body.
pub(crate) fn read(route: &RouteSpec, method: &Method, headers: &HeaderMap, body: &Bytes) -> Result<Value, Refusal> {
    if route.body.is_none() {
        return text(method, body);
    }
    let mut left = route.limits.values;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let value = match kind.as_str() {
        _ if body.is_empty() => Value::Object(Map::new()),
        "application/x-www-form-urlencoded" => form(route, body, &mut left)?,
        "application/json" => json(route, body, &mut left)?
            .map_err(|error| (StatusCode::BAD_REQUEST, vec![format!("it is not valid JSON: {error}")]))?,
        _ => json(route, body, &mut left)?.ok().ok_or_else(|| {
            let what = "send application/json or application/x-www-form-urlencoded".to_owned();
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, vec![what])
        })?,
    };
    match route.check_body(&value) {
        Ok(()) => Ok(value),
        Err(mut wrong) => {
            let more = wrong.len().saturating_sub(PROBLEMS_MAX);
            wrong.truncate(PROBLEMS_MAX);
            if more > 0 {
                wrong.push(format!("… and {more} more problems"));
            }
            Err((StatusCode::UNPROCESSABLE_ENTITY, wrong))
        }
    }
}

/// Returns the error text for a request with more values than the script's limit.
pub(crate) fn too_many_values(route: &RouteSpec) -> String {
    format!("it has more than {} names and values (limits.request_values)", route.limits.values)
}

/// Returns the body as text, for a route that declares no fields and parses it itself.
fn text(method: &Method, body: &Bytes) -> Result<Value, Refusal> {
    let has_body = *method == Method::POST || *method == Method::PUT || *method == Method::PATCH;
    if body.is_empty() || !has_body {
        return Ok(Value::Null);
    }
    match std::str::from_utf8(body) {
        Ok(text) => Ok(Value::String(text.to_owned())),
        Err(error) => Err((StatusCode::BAD_REQUEST, vec![format!("it is not UTF-8 text: {error}")])),
    }
}

/// Parses a form. Its values are texts; those of fields declared with another type are converted.
fn form(route: &RouteSpec, body: &[u8], left: &mut usize) -> Result<Value, Refusal> {
    let mut map = Map::new();
    for (name, text) in form_urlencoded::parse(body) {
        *left = left.checked_sub(1).ok_or_else(|| (StatusCode::PAYLOAD_TOO_LARGE, vec![too_many_values(route)]))?;
        let kind = route.body.as_ref().and_then(|fields| fields.get(&*name)).map(|field| field.kind);
        let read = match kind {
            Some(FieldType::Integer | FieldType::Number | FieldType::List | FieldType::Map) => {
                json(route, text.as_bytes(), left)?.ok()
            }
            Some(FieldType::Boolean) => Some(matches!(&*text, "true" | "on" | "yes" | "1").into()),
            Some(FieldType::String) | None => None,
        };
        map.insert(name.into_owned(), read.unwrap_or_else(|| text.into_owned().into()));
    }
    Ok(Value::Object(map))
}

/// Parses JSON with at most `left` values and a limited depth; `left` is reduced.
fn json(route: &RouteSpec, text: &[u8], left: &mut usize) -> Result<serde_json::Result<Value>, Refusal> {
    let checked = checked(text, left).map_err(|problem| match problem {
        Problem::TooMany => (StatusCode::PAYLOAD_TOO_LARGE, vec![too_many_values(route)]),
        Problem::TooDeep => {
            (StatusCode::BAD_REQUEST, vec![format!("its lists and objects are nested more than {DEPTH_MAX} deep")])
        }
    })?;
    Ok(serde_json::from_slice(&checked))
}

enum Problem {
    TooMany,
    TooDeep,
}

/// Checks the limits of a JSON text before it is parsed.
///
/// Returns the text with integers that a number of a script cannot represent exactly turned into
/// strings. Does not check that the text is valid JSON.
fn checked(text: &[u8], left: &mut usize) -> Result<Vec<u8>, Problem> {
    let mut checked = Vec::with_capacity(text.len());
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = text.get(at) {
        let (end, is_value) = match byte {
            b'"' => (end_of_string(text, at), true),
            b'-' | b'0'..=b'9' => (end_of_number(text, at), true),
            b'[' | b'{' => {
                depth += 1;
                (at + 1, true)
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                (at + 1, false)
            }
            // The first letters of true, false and null; each occurs once in all three words.
            b't' | b'f' | b'n' => (at + 1, true),
            _ => (at + 1, false),
        };
        if depth > DEPTH_MAX {
            return Err(Problem::TooDeep);
        }
        if is_value {
            *left = left.checked_sub(1).ok_or(Problem::TooMany)?;
        }
        let token = text.get(at..end).unwrap_or_default();
        if is_beyond_exact(token) {
            checked.push(b'"');
            checked.extend_from_slice(token);
            checked.push(b'"');
        } else {
            checked.extend_from_slice(token);
        }
        at = end;
    }
    Ok(checked)
}

fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

fn end_of_number(text: &[u8], start: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    text[start..].iter().position(|byte| !is_part(byte)).map_or(text.len(), |length| start + length)
}

/// Whether a token is an integer that a number of a script cannot represent exactly.
fn is_beyond_exact(token: &[u8]) -> bool {
    let digits = token.strip_prefix(b"-").unwrap_or(token);
    if !matches!(digits.first(), Some(b'1'..=b'9')) || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok());
    number.is_none_or(|number| number > EXACT_INTEGER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(text: &str, values: usize) -> Option<String> {
        let mut left = values;
        checked(text.as_bytes(), &mut left).ok().map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn integers_beyond_2_to_the_53_keep_their_digits() {
        for (given, wanted) in [
            ("9007199254740992", "9007199254740992"),
            ("9007199254740993", "\"9007199254740993\""),
            ("[-9007199254740993,1]", "[\"-9007199254740993\",1]"),
            ("{\"id\":123456789012345678901234567890}", "{\"id\":\"123456789012345678901234567890\"}"),
            ("\"9007199254740993\"", "\"9007199254740993\""),
            ("\"a\\\"9007199254740993\"", "\"a\\\"9007199254740993\""),
            ("9007199254740993.5", "9007199254740993.5"),
            ("1e30", "1e30"),
            ("\"never ends \\", "\"never ends \\"),
        ] {
            assert_eq!(looked(given, 100).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn values_are_counted_before_they_are_made() {
        for (text, values) in [("[[],[],[]]", 4), ("{\"a\":1,\"b\":[true,null]}", 7), ("\"[,,,]\"", 1), ("[1,2,3]", 4)]
        {
            assert!(looked(text, values).is_some(), "{text}");
            assert!(looked(text, values - 1).is_none(), "{text}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(looked(&deep(DEPTH_MAX), 1_000).is_some() && looked(&deep(DEPTH_MAX + 1), 1_000).is_none());
    }
}
