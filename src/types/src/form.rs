//! Forms, which one user fills in.

use serde::{Deserialize, Serialize};

/// A form for one user; submitting it causes an `on_form` event with its action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// The action in the event; the title if omitted.
    #[serde(default)]
    pub action: String,
    /// The title.
    pub title: String,
    /// The fields.
    pub fields: Vec<FormField>,
}

/// A text field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormField {
    /// The key in the event's values.
    pub name: String,
    /// The label of the field.
    pub label: String,
    /// Whether it has several lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub long: bool,
    /// Whether it may be left empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The minimum number of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The maximum number of characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// The text that is shown while the field is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// The initial text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
