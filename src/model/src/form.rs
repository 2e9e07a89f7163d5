//! Forms: what one person is asked to fill in.

use serde::{Deserialize, Serialize};

/// A form for one person; submitting it makes an `on_form` event with its action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// What the event says; the title if this is left out.
    #[serde(default)]
    pub action: String,
    /// Its headline.
    pub title: String,
    /// What there is to fill in.
    pub fields: Vec<FormField>,
}

/// A line or a box to write in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormField {
    /// Its key in the event's values.
    pub name: String,
    /// What stands beside it.
    pub label: String,
    /// A box of several lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub long: bool,
    /// It may be left empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// The fewest characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The most characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// What stands there while it is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placeholder: Option<String>,
    /// What is written there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
