//! Interactions: what people do with commands, buttons and forms.

use serde_json::Value;

use super::id::Id;

/// Discord's kinds of interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    Modal = 5,
}

/// Something that somebody did and waits for an answer to.
#[derive(Debug, Clone)]
pub(super) struct Interaction {
    pub(super) kind: Kind,
    pub(super) token: String,
    /// Milliseconds of the Unix epoch.
    pub(super) created: u64,
    pub(super) channel: Id,
    pub(super) user: Id,
    /// The message that a component stands in: its channel and id.
    pub(super) message: Option<(Id, Id)>,
    /// Whether the callback came.
    pub(super) answered: bool,
    /// The bodies of the callbacks that were taken.
    pub(super) answers: Vec<Value>,
    /// What `@original` is.
    pub(super) original: Option<Id>,
    /// All that was said in answer, the first included.
    pub(super) said: Vec<Id>,
    /// How often the first answer was edited.
    pub(super) edits: u32,
}
