//! Events of clients, parsed and checked. An error is reported only to the client that caused it.

use std::collections::BTreeMap;

use palabre_text::{composed, is_emoji};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::conversation::is_imitation;

/// Maximum length of a message, in characters.
pub(crate) const TEXT_MAX: usize = 5_000;
/// Maximum length of a username, in characters.
const USERNAME_MAX: usize = 64;
/// Maximum length of a room name, in characters.
const ROOM_NAME_MAX: usize = 64;
/// Maximum length of a nonce or an id, in bytes.
const ID_MAX: usize = 256;
/// Maximum number of files in a message.
pub(crate) const FILES_MAX: usize = 10;
/// Maximum number of people or messages in a page.
pub(crate) const PAGE_MAX: usize = 200;
/// Maximum length of a language tag, in characters.
const LOCALE_MAX: usize = 35;

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with username and room")]
pub(crate) struct Join {
    pub(crate) username: String,
    pub(crate) room: String,
    /// The last message that a returning client has.
    #[serde(default)]
    pub(crate) last_id: Option<String>,
    /// The language of the person, as a BCP 47 tag.
    #[serde(default, deserialize_with = "locale")]
    pub(crate) locale: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with message")]
pub(crate) struct Send {
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) nonce: Option<String>,
    #[serde(default)]
    pub(crate) reply_to: Option<String>,
    /// Ids of the files that were uploaded for the message.
    #[serde(default)]
    pub(crate) files: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with name")]
pub(crate) struct Upload {
    pub(crate) name: String,
    /// In bytes, if the client knows it.
    #[serde(default)]
    pub(crate) size: Option<usize>,
    #[serde(default)]
    pub(crate) content_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with id and message")]
pub(crate) struct Edit {
    pub(crate) id: String,
    pub(crate) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with id")]
pub(crate) struct Delete {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with id and emoji")]
pub(crate) struct React {
    pub(crate) id: String,
    pub(crate) emoji: String,
    #[serde(default)]
    pub(crate) remove: bool,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with id and action")]
pub(crate) struct Press {
    pub(crate) id: String,
    pub(crate) action: String,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with id, action and values")]
pub(crate) struct Choose {
    pub(crate) id: String,
    pub(crate) action: String,
    pub(crate) values: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with form and values")]
pub(crate) struct Fill {
    pub(crate) form: String,
    pub(crate) values: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Typing {
    #[serde(default = "yes")]
    pub(crate) is_typing: bool,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with before or after, and limit")]
pub(crate) struct History {
    /// The message before which the page ends.
    #[serde(default)]
    pub(crate) before: Option<String>,
    /// The message after which the page begins.
    #[serde(default)]
    pub(crate) after: Option<String>,
    #[serde(default)]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with cursor and limit")]
pub(crate) struct Users {
    #[serde(default)]
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) limit: Option<usize>,
}

const fn yes() -> bool {
    true
}

/// Parses the data of an event, or returns an error message.
pub(crate) fn read<T: DeserializeOwned>(event: &str, data: Value) -> Result<T, String> {
    // A client without data sends nothing, or null.
    let data = if data.is_null() { Value::Object(serde_json::Map::new()) } else { data };
    // serde names the Rust type that it expected.
    serde_json::from_value(data)
        .map_err(|error| format!("{event}: {error}").replace("expected usize", "expected a whole number"))
}

impl Join {
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        self.username = username(&self.username)?;
        self.room = room_name(&self.room)?;
        self.last_id = self.last_id.filter(|id| id.len() <= ID_MAX);
        Ok(self)
    }
}

impl Send {
    pub(crate) fn checked(self) -> Result<Self, String> {
        if self.files.is_empty() || !self.message.trim().is_empty() {
            text(&self.message)?;
        }
        if self.files.len() > FILES_MAX {
            return Err(format!("a message can have at most {FILES_MAX} files"));
        }
        if self.nonce.as_ref().is_some_and(|nonce| nonce.is_empty() || nonce.len() > ID_MAX) {
            return Err(format!("a nonce must have 1 to {ID_MAX} bytes"));
        }
        if self.reply_to.as_ref().is_some_and(|id| id.len() > ID_MAX) {
            return Err("reply_to is not the id of a message".to_owned());
        }
        Ok(self)
    }
}

impl Edit {
    pub(crate) fn checked(self) -> Result<Self, String> {
        text(&self.message)?;
        Ok(self)
    }
}

impl React {
    pub(crate) fn checked(self) -> Result<Self, String> {
        // Reactions from earlier versions can be removed even if they are not an emoji.
        if self.remove || is_emoji(&self.emoji) { Ok(self) } else { Err("a reaction is one emoji".to_owned()) }
    }
}

impl History {
    pub(crate) fn checked(self) -> Result<Self, String> {
        let ids: Vec<_> = [&self.before, &self.after].into_iter().flatten().collect();
        if ids.len() != 1 {
            return Err("history: give the id of a message, either as before or as after".to_owned());
        }
        if ids.iter().any(|id| id.len() > ID_MAX) {
            return Err(format!("history: the id of a message has at most {ID_MAX} bytes"));
        }
        limit("history", self.limit)?;
        Ok(self)
    }
}

impl Users {
    pub(crate) fn checked(self) -> Result<Self, String> {
        if self.cursor.as_ref().is_some_and(|cursor| cursor.len() > 4 * ID_MAX) {
            return Err("room_users: cursor is not one that the server sent".to_owned());
        }
        limit("room_users", self.limit)?;
        Ok(self)
    }
}

/// Checks the requested size of a page.
fn limit(event: &str, limit: Option<usize>) -> Result<(), String> {
    match limit {
        Some(limit) if !(1..=PAGE_MAX).contains(&limit) => Err(format!("{event}: limit must be from 1 to {PAGE_MAX}")),
        _ => Ok(()),
    }
}

/// Checks a username and returns it trimmed, in its composed form.
pub(crate) fn username(text: &str) -> Result<String, String> {
    name(&composed(text), "username", USERNAME_MAX)
}

/// Checks a room name and returns it trimmed.
pub(crate) fn room_name(text: &str) -> Result<String, String> {
    let room = name(text, "room", ROOM_NAME_MAX)?;
    if room.contains('/') {
        return Err("room must not contain a slash".to_owned());
    }
    // In an address, they are the folder itself and the one above it, also as %2e.
    if matches!(room.as_str(), "." | "..") {
        return Err("room must not be . or ..".to_owned());
    }
    if is_imitation(&room) {
        return Err("room looks like a private conversation or a session, and is none".to_owned());
    }
    Ok(room)
}

fn name(text: &str, what: &str, longest: usize) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(format!("{what} is required"));
    }
    if name.chars().count() > longest {
        return Err(format!("{what} must have at most {longest} characters"));
    }
    match palabre_text::name_problem(name) {
        Some(problem) => Err(format!("{what} {problem}")),
        None => Ok(name.to_owned()),
    }
}

/// Ignores invalid language tags instead of refusing the client.
fn locale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let is_subtag = |text: &str| (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_tag = |tag: &str| {
        let language = tag.split('-').next().unwrap_or_default();
        tag.len() <= LOCALE_MAX
            && language.len() >= 2
            && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            && tag.split('-').all(is_subtag)
    };
    Ok(match Value::deserialize(deserializer)? {
        Value::String(tag) if is_tag(&tag) => Some(tag),
        _ => None,
    })
}

/// Checks the text of a message.
pub(crate) fn text(text: &str) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("message is empty".to_owned());
    }
    let length = text.chars().count();
    if length > TEXT_MAX {
        return Err(format!("message has {length} characters; the limit is {TEXT_MAX}"));
    }
    Ok(())
}
