//! Commands as scripts declare them and platforms list them.

use std::collections::BTreeMap;

use crate::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::people::Permission;

/// A command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// The name, without a prefix.
    pub name: String,
    /// A description in one sentence.
    #[serde(default)]
    pub description: String,
    /// Other names, including names in other languages.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The arguments, in order.
    #[serde(default)]
    pub args: Vec<ArgSpec>,
    /// The permission level that the command requires.
    #[serde(default)]
    pub permission: Permission,
    /// The minimum time between two uses by one user.
    #[serde(default)]
    pub cooldown: Option<Millis>,
    /// Whether the help omits the command.
    #[serde(default)]
    pub hidden: bool,
    /// The context menu, of users or of messages, that also lists the command.
    #[serde(default)]
    pub menu: Option<Menu>,
    /// Names in other languages, by language.
    ///
    /// From the script's locales: the attribute `name` of `command-NAME`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Descriptions in other languages, by language.
    ///
    /// From the script's locales: the attribute `description` of `command-NAME`.
    #[serde(default)]
    pub descriptions: BTreeMap<String, String>,
}

/// The context menu of a command, on platforms that have such menus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Menu {
    /// The menu of users.
    User,
    /// The menu of messages.
    Message,
}

/// An argument of a command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgSpec {
    /// Its name.
    pub name: String,
    /// The type.
    #[serde(rename = "type", default)]
    pub kind: ArgType,
    /// A description in one sentence.
    #[serde(default)]
    pub description: String,
    /// Whether the argument can be omitted.
    #[serde(default)]
    pub optional: bool,
    /// The value when the argument is omitted.
    #[serde(default)]
    pub default: Option<Value>,
    /// The minimum: of a number its value, of a text its length in characters.
    #[serde(default)]
    pub min: Option<f64>,
    /// The maximum: of a number its value, of a text its length in characters.
    #[serde(default)]
    pub max: Option<f64>,
    /// The allowed values of a choice.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Names in other languages, by language.
    ///
    /// From the script's locales: the attribute `arg-ARG` of `command-NAME`.
    #[serde(skip)]
    pub names: BTreeMap<String, String>,
    /// Descriptions in other languages, by language.
    ///
    /// From the script's locales: the attribute `arg-ARG-description` of `command-NAME`.
    #[serde(skip)]
    pub descriptions: BTreeMap<String, String>,
    /// Labels of the choices, by choice and language.
    ///
    /// From the script's locales: the attributes `choice-CHOICE` of `command-NAME`.
    #[serde(skip)]
    pub choice_names: BTreeMap<String, BTreeMap<String, String>>,
}

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgType {
    /// One word, or several in quotation marks.
    #[default]
    String,
    /// The rest of the text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A duration, given to the script in seconds.
    Duration,
    /// A user.
    User,
    /// A member of the space.
    Member,
    /// A room.
    Room,
    /// A role, by its name.
    Role,
    /// An attachment of the message.
    File,
    /// One of a fixed list of values.
    Choice,
}

impl ArgSpec {
    /// Whether the argument can be omitted.
    #[must_use]
    pub const fn is_omittable(&self) -> bool {
        self.optional || self.default.is_some()
    }
}

impl ArgType {
    /// Returns the name that scripts use.
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
