//! Parsing and validation of the arguments of a command.

use palabre_types::{ArgSpec, ArgType, Attachment, CommandSpec, LeadingDuration, leading_duration};
use serde_json::{Value, json};

/// Finds a user by the name or mention that was written; returns id and name.
pub(crate) type FindUser<'f> = &'f dyn Fn(&str) -> Option<(String, String)>;

/// The reason why arguments are invalid: the key of a built-in text, and its values.
pub(crate) struct Misfit {
    pub(crate) key: &'static str,
    pub(crate) arg: String,
    pub(crate) given: String,
    pub(crate) limit: String,
}

/// The arguments of a command: as written, or by name if the platform has parsed them.
pub(crate) struct Given<'g> {
    pub(crate) text: &'g str,
    pub(crate) options: Option<&'g Value>,
    pub(crate) files: &'g [Attachment],
}

/// Returns the values by name. Users are objects with `id` and `name`.
pub(crate) fn parse(
    spec: &CommandSpec,
    given: &Given<'_>,
    find: FindUser<'_>,
) -> Result<serde_json::Map<String, Value>, Misfit> {
    let mut rest = given.text.trim();
    let mut files = given.files.iter();
    let mut values = serde_json::Map::new();
    for arg in &spec.args {
        let value = match (given.options, arg.kind) {
            (Some(options), _) => options.get(&arg.name).map(|value| option(arg, value, find)).transpose()?,
            (None, ArgType::File) => files.next().map(|file| json!(file)),
            (None, ArgType::Duration) => next_duration(arg, &mut rest)?,
            (None, kind) => {
                let word = if kind == ArgType::Text { std::mem::take(&mut rest).trim() } else { next_word(&mut rest) };
                (!word.is_empty()).then(|| value_of(arg, word, find)).transpose()?
            }
        };
        match value.or_else(|| arg.default.clone()) {
            Some(value) => drop(values.insert(arg.name.clone(), value)),
            None if arg.optional => {}
            None => return Err(misfit("arg-missing", arg, "", String::new())),
        }
    }
    match rest.trim() {
        extra if given.options.is_none() && !extra.is_empty() => {
            Err(Misfit { key: "arg-extra", arg: String::new(), given: extra.to_owned(), limit: String::new() })
        }
        _ => Ok(values),
    }
}

/// Converts a value that the platform has parsed.
///
/// Users and files stay objects; other values are parsed as if typed.
fn option(arg: &ArgSpec, value: &Value, find: FindUser<'_>) -> Result<Value, Misfit> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        Value::String(word) => value_of(arg, word, find),
        other => value_of(arg, &other.to_string(), find),
    }
}

/// Returns the usage of a command for people: `/roll [sides]`, `/give <whom> <amount>`.
pub(crate) fn usage(spec: &CommandSpec) -> String {
    let mut usage = format!("/{}", spec.name);
    for arg in &spec.args {
        let name = match arg.kind {
            ArgType::Choice => arg.choices.join("|"),
            ArgType::Text => format!("{}…", arg.name),
            _ => arg.name.clone(),
        };
        let (open, close) = if arg.is_omittable() { ("[", "]") } else { ("<", ">") };
        usage.push_str(&format!(" {open}{name}{close}"));
    }
    usage
}

/// Takes the next word, or several words in quotation marks.
fn next_word<'t>(rest: &mut &'t str) -> &'t str {
    let text = rest.trim_start();
    for (open, close) in [('"', '"'), ('“', '”'), ('«', '»')] {
        if let Some(inside) = text.strip_prefix(open)
            && let Some((word, after)) = inside.split_once(close)
        {
            *rest = after;
            return word.trim();
        }
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    word
}

/// Takes the next duration, which may have several words, such as `7 days` and `1h 30m`.
fn next_duration(arg: &ArgSpec, rest: &mut &str) -> Result<Option<Value>, Misfit> {
    let text = rest.trim_start();
    if let Some(read) = leading_duration(text) {
        *rest = read.rest;
        let written = text[..text.len() - read.rest.len()].trim_end();
        return seconds(arg, written, &read).map(Some);
    }
    let word = next_word(rest);
    // A duration needs no look-up of users.
    (!word.is_empty()).then(|| value_of(arg, word, &|_: &str| None)).transpose()
}

/// Returns a duration in seconds.
///
/// A number without a unit is refused, because people mean minutes as often as seconds or days.
fn seconds(arg: &ArgSpec, word: &str, read: &LeadingDuration<'_>) -> Result<Value, Misfit> {
    if !read.has_unit && !read.duration.is_zero() {
        return Err(misfit("arg-duration-unit", arg, word, String::new()));
    }
    within(arg, word, read.duration.as_secs_f64(), "arg-small", "arg-large")?;
    Ok(read.duration.as_secs_f64().into())
}

fn value_of(arg: &ArgSpec, word: &str, find: FindUser<'_>) -> Result<Value, Misfit> {
    let not = |key| misfit(key, arg, word, String::new());
    Ok(match arg.kind {
        ArgType::String | ArgType::Text => {
            within(arg, word, word.chars().count() as f64, "arg-short", "arg-long")?;
            word.into()
        }
        ArgType::Integer => {
            let number: i64 = word.parse().ok().ok_or_else(|| not("arg-integer"))?;
            // Luau numbers are doubles; a larger integer would silently become another one.
            if number.unsigned_abs() > 1 << 53 {
                return Err(not("arg-integer"));
            }
            within(arg, word, number as f64, "arg-small", "arg-large")?;
            number.into()
        }
        ArgType::Number => {
            let number: f64 = word.replace(',', ".").parse().ok().ok_or_else(|| not("arg-number"))?;
            within(arg, word, number, "arg-small", "arg-large")?;
            serde_json::Number::from_f64(number).map(Value::Number).ok_or_else(|| not("arg-number"))?
        }
        ArgType::Boolean => match word.to_lowercase().as_str() {
            "yes" | "y" | "true" | "on" | "1" | "oui" | "vrai" => true.into(),
            "no" | "n" | "false" | "off" | "0" | "non" | "faux" => false.into(),
            _ => return Err(not("arg-boolean")),
        },
        ArgType::Duration => {
            let read = leading_duration(word).filter(|read| read.rest.is_empty());
            seconds(arg, word, &read.ok_or_else(|| not("arg-duration"))?)?
        }
        ArgType::User | ArgType::Member => {
            let (id, name) = find(word).ok_or_else(|| not("arg-user"))?;
            json!({ "id": id, "name": name })
        }
        ArgType::Room => {
            let name = word.trim_start_matches("<#").trim_end_matches('>').trim_start_matches('#');
            if name.is_empty() {
                return Err(not("arg-room"));
            }
            name.into()
        }
        ArgType::Role => word.trim_start_matches("<@&").trim_end_matches('>').trim_start_matches('@').into(),
        ArgType::Choice => {
            let chosen = arg.choices.iter().find(|choice| choice.to_lowercase() == word.to_lowercase());
            chosen.ok_or_else(|| misfit("arg-choice", arg, word, arg.choices.join(", ")))?.as_str().into()
        }
        ArgType::File => Value::Null,
    })
}

fn within(arg: &ArgSpec, word: &str, size: f64, below: &'static str, above: &'static str) -> Result<(), Misfit> {
    match (arg.min, arg.max) {
        (Some(min), _) if size < min => Err(misfit(below, arg, word, min.to_string())),
        (_, Some(max)) if size > max => Err(misfit(above, arg, word, max.to_string())),
        _ => Ok(()),
    }
}

fn misfit(key: &'static str, arg: &ArgSpec, given: &str, limit: String) -> Misfit {
    Misfit { key, arg: arg.name.clone(), given: given.to_owned(), limit }
}
