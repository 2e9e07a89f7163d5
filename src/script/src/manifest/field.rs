//! The schema of a script's `config`.

use std::collections::BTreeMap;

use serde_json::Value;

/// One key of a script's `config`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigField {
    /// The type.
    pub kind: ConfigKind,
    /// The default, validated and completed.
    pub default: Option<Value>,
    /// Whether bots.yaml must set it.
    pub required: bool,
    /// The minimum of a number, or of the length of a string or list.
    pub min: Option<f64>,
    /// The maximum of a number, or of the length of a string or list.
    pub max: Option<f64>,
    /// A description in one sentence.
    pub description: Option<String>,
}

/// The type of a configuration value.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigKind {
    /// A string.
    String,
    /// An integer.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A duration: `10m`, or a number of seconds.
    Duration,
    /// One of these strings and numbers.
    Choice(Vec<Value>),
    /// A list of values of one type, or of any type.
    List(Option<Box<ConfigField>>),
    /// A map with these keys, or with any keys.
    Map(Option<BTreeMap<String, ConfigField>>),
    /// A user, by id.
    User,
    /// A room, by id.
    Room,
    /// A role, by id or name.
    Role,
}

impl ConfigKind {
    /// Returns the type's name in script.yaml.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Duration => "duration",
            Self::Choice(_) => "choice",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::User => "user",
            Self::Room => "room",
            Self::Role => "role",
        }
    }

    /// Returns a description of the type for error messages.
    pub(super) const fn expected(&self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Duration => "a duration such as 90s, 10m or 2h30m",
            Self::Choice(_) => "one of the choices",
            Self::List(_) => "a list",
            Self::Map(_) => "a map of keys and values",
            Self::User => "the id of a person (a text)",
            Self::Room => "the id of a room (a text)",
            Self::Role => "the id or name of a role (a text)",
        }
    }

    /// Returns the meaning of `min` and `max`; `None` if the type has no bounds.
    pub(super) const fn measure(&self) -> Option<Measure> {
        match self {
            Self::Integer | Self::Number => Some(Measure::Value),
            Self::String => Some(Measure::Length("characters")),
            Self::List(_) => Some(Measure::Length("entries")),
            Self::Boolean | Self::Duration | Self::Choice(_) | Self::Map(_) | Self::User | Self::Room | Self::Role => {
                None
            }
        }
    }
}

/// The meaning of `min` and `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Bounds of the number itself.
    Value,
    /// Bounds of the number of these units.
    Length(&'static str),
}
