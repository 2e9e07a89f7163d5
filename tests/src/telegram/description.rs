//! Methods, types and fields of Telegram's description.

use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

/// The type of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Integer,
    Float,
    Boolean,
    Text,
    File,
    List(Box<Kind>),
    Object(String),
}

impl Kind {
    fn parse(name: &str) -> Self {
        match name {
            "Integer" => Self::Integer,
            "Float" => Self::Float,
            "Boolean" | "True" => Self::Boolean,
            "String" => Self::Text,
            "InputFile" => Self::File,
            other => match other.strip_prefix("Array of ") {
                Some(item) => Self::List(Box::new(Self::parse(item))),
                None => Self::Object(other.to_owned()),
            },
        }
    }

    pub(super) fn list(value: &Value) -> Vec<Self> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Self::parse).collect()
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Integer => "an integer".to_owned(),
            Self::Float => "a number".to_owned(),
            Self::Boolean => "a boolean".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::File => "a file".to_owned(),
            Self::List(item) => format!("an array of {}", item.name()),
            Self::Object(name) => name.clone(),
        }
    }
}

/// A parameter of a method, or a field of a type.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kinds: Vec<Kind>,
    pub(super) required: bool,
    /// The only allowed value: `type` of a member of a union.
    pub(super) only: Option<String>,
    pub(super) description: String,
}

impl Field {
    pub(super) fn list(value: &Value) -> Vec<Self> {
        static ONLY: OnceLock<Regex> = OnceLock::new();
        let only =
            ONLY.get_or_init(|| Regex::new(r#"(?:must be|always) ["“]?(\w+)["”]?\.?$"#).expect("it is written well"));
        let read = |one: &Value| {
            let description = one["description"].as_str().unwrap_or_default();
            let is_tag = matches!(one["name"].as_str(), Some("type" | "status" | "source"));
            Self {
                name: one["name"].as_str().unwrap_or_default().to_owned(),
                kinds: Kind::list(&one["types"]),
                required: one["required"] == true,
                only: only.captures(description).filter(|_| is_tag).map(|found| found[1].to_owned()),
                description: description.to_owned(),
            }
        };
        value["fields"].as_array().into_iter().flatten().map(read).collect()
    }
}

/// A method of the description.
#[derive(Debug)]
pub(super) struct Method {
    /// The name in Telegram's spelling: `sendMessage`.
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    pub(super) returns: Vec<Kind>,
}

impl Method {
    /// Whether it has a parameter of this name.
    pub(super) fn takes(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }
}

/// A type of the description.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) fields: Vec<Field>,
    /// The members, if it is a union.
    pub(super) subtypes: Vec<Kind>,
}
