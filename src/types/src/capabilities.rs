//! The capabilities of platforms.

use crate::action::kind::ActionKind;

/// The capabilities of a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The actions that it supports.
    pub actions: Vec<ActionKind>,
    /// Whether it shows buttons.
    pub buttons: bool,
    /// Whether the bot can write under another name.
    pub personas: bool,
    /// Whether it has polls.
    pub polls: bool,
    /// Whether the bot can send a direct message to a user who has never written to it.
    pub direct_messages: bool,
    /// The maximum length of a message's text, in characters.
    pub text_max: usize,
    /// The maximum size of an attachment, in bytes.
    pub max_file: usize,
}

impl Capabilities {
    /// Whether the platform has the capability that `bot:can(name)` asks about.
    #[must_use]
    pub fn can(&self, name: &str) -> bool {
        self.actions.iter().any(|action| action.as_str() == name)
            || (name == "buttons" && self.buttons)
            || (name == "as" && self.personas)
            || (name == "poll" && self.polls)
            || (name == "whisper" && self.direct_messages)
    }
}
