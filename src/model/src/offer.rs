//! Offers: what somebody may say with a bot's help, in any chat.

use serde::{Deserialize, Serialize};

/// So many can be offered at once. <https://core.telegram.org/bots/api#answerinlinequery>
pub const OFFERS: usize = 50;

/// Something that somebody may choose to say, who has asked a bot for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// What stands in the list.
    pub title: String,
    /// What they say when they choose it, CommonMark; the title if this is left out.
    #[serde(default)]
    pub text: String,
    /// A line below the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The address of a small picture beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}
