//! Answers to inline queries: messages that a user can send in any chat with a bot's help.

use serde::{Deserialize, Serialize};

/// The maximum number of choices. <https://core.telegram.org/bots/api#answerinlinequery>
pub const OFFERS_MAX: usize = 50;

/// One choice that a bot shows a user who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The title in the list.
    pub title: String,
    /// The text that the user sends by choosing it, CommonMark; the title if omitted.
    #[serde(default)]
    pub text: String,
    /// A line below the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address of a small picture next to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}
