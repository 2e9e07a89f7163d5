//! Commands, as scripts declare them and platforms list them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Millis, Permission};

/// A command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// What it is called by, without a prefix.
    pub name: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Other names, among them those of other languages.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it takes, in order.
    #[serde(default)]
    pub args: Vec<ArgSpec>,
    /// Who may use it.
    #[serde(default)]
    pub permission: Permission,
    /// How long one person waits before using it again.
    #[serde(default)]
    pub cooldown: Option<Millis>,
    /// It is not in the help.
    #[serde(default)]
    pub hidden: bool,
    /// Where it stands beside what people type: in the menu of a person, or of a message.
    #[serde(default)]
    pub menu: Option<Menu>,
    /// What it is called in other languages, by language: from the script's locales, `command-NAME` with the attribute `name`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// What it does, in other languages: the attribute `description` of the same.
    #[serde(default)]
    pub descriptions: BTreeMap<String, String>,
}

/// The menu that a command stands in, where a platform has such menus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Menu {
    /// What can be done with a person.
    User,
    /// What can be done with a message.
    Message,
}

/// An argument of a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgSpec {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type", default)]
    pub kind: ArgType,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// It may be left out.
    #[serde(default)]
    pub optional: bool,
    /// What it is when it is left out.
    #[serde(default)]
    pub default: Option<Value>,
    /// The least number, or the fewest characters.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest number, or the most characters.
    #[serde(default)]
    pub max: Option<f64>,
    /// What there is to choose.
    #[serde(default)]
    pub choices: Vec<String>,
    /// What it is called in other languages, by language: of the script's locales, `command-NAME` with the attribute `arg-ARG`.
    #[serde(skip)]
    pub names: BTreeMap<String, String>,
    /// What it is for, in other languages: the attribute `arg-ARG-description` of the same.
    #[serde(skip)]
    pub descriptions: BTreeMap<String, String>,
    /// What the choices are called, by choice and language: the attributes `choice-CHOICE`.
    #[serde(skip)]
    pub choice_names: BTreeMap<String, BTreeMap<String, String>>,
}

/// What an argument may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgType {
    /// A word, or several in quotation marks.
    #[default]
    String,
    /// All that is left.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A duration, given to the script in seconds.
    Duration,
    /// A person.
    User,
    /// A person in the space of the room.
    Member,
    /// A room.
    Room,
    /// A role, by its name.
    Role,
    /// A file that came with the message.
    File,
    /// One of a few words.
    Choice,
}

impl ArgSpec {
    /// Whether a call may do without it.
    #[must_use]
    pub const fn may_be_left_out(&self) -> bool {
        self.optional || self.default.is_some()
    }
}

impl ArgType {
    /// As scripts write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Duration => "duration",
            Self::User => "user",
            Self::Member => "member",
            Self::Room => "room",
            Self::Role => "role",
            Self::File => "file",
            Self::Choice => "choice",
        }
    }
}
