//! The schema of a script's `config`.

use std::collections::BTreeMap;

use serde_json::Value;

/// One key of a script's `config`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigField {
    /// What may stand there.
    pub kind: ConfigKind,
    /// What it is when bots.yaml does not say; checked against the kind, and complete.
    pub default: Option<Value>,
    /// Whether bots.yaml has to say it.
    pub required: bool,
    /// The least that a number may be, or the least length of a text or a list.
    pub min: Option<f64>,
    /// The most that a number may be, or the greatest length of a text or a list.
    pub max: Option<f64>,
    /// What it is for, in a sentence.
    pub description: Option<String>,
}

/// What may stand at a key.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigKind {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A duration: `10m`, or a number of seconds.
    Duration,
    /// One of these texts and numbers.
    Choice(Vec<Value>),
    /// A list of values of one kind, or of anything.
    List(Option<Box<ConfigField>>),
    /// A map with these keys, or with any.
    Map(Option<BTreeMap<String, ConfigField>>),
    /// A person, by id.
    User,
    /// A room, by id.
    Room,
    /// A role, by id or name.
    Role,
}

impl ConfigKind {
    /// The word for it in script.yaml.
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

    /// What is expected, for a sentence.
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

    /// What `min` and `max` are counted in; `None` where there are none.
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

/// What `min` and `max` mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// The number itself.
    Value,
    /// How many of these there are.
    Length(&'static str),
}
