//! What a platform can do.

use crate::ActionKind;

/// What a platform can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The actions that it knows.
    pub actions: Vec<ActionKind>,
    /// Whether it shows buttons.
    pub buttons: bool,
    /// Whether the bot can speak under another name.
    pub personas: bool,
    /// Whether it has polls.
    pub polls: bool,
    /// Whether the bot can tell somebody something that nobody else sees, who has never written to it.
    pub whispers: bool,
    /// The longest text of a message, in characters.
    pub max_text: usize,
    /// The largest file of a message, in bytes.
    pub max_file: usize,
}

impl Capabilities {
    /// Whether it can do what `bot:can(name)` asks about.
    #[must_use]
    pub fn can(&self, name: &str) -> bool {
        self.actions.iter().any(|action| action.as_str() == name)
            || (name == "buttons" && self.buttons)
            || (name == "as" && self.personas)
            || (name == "poll" && self.polls)
            || (name == "whisper" && self.whispers)
    }
}
