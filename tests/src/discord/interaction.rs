//! Interactions: uses of commands, buttons and forms.

use serde_json::{Value, json};

use super::id::Id;

/// Discord's kinds of interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    Modal = 5,
}

/// An interaction.
#[derive(Debug, Clone)]
pub(super) struct Interaction {
    pub(super) kind: Kind,
    pub(super) token: String,
    /// The event that the bot received.
    pub(super) frame: Value,
    /// Milliseconds of the Unix epoch.
    pub(super) created: u64,
    pub(super) channel: Id,
    pub(super) user: Id,
    /// The channel and id of the message with the component.
    pub(super) message: Option<(Id, Id)>,
    /// The interaction whose answer opened the submitted form.
    pub(super) opened_by: Option<Id>,
    /// The target of a context menu: fields of the metadata.
    pub(super) target: Value,
    /// Whether the callback has arrived.
    pub(super) answered: bool,
    /// The bodies of the accepted callbacks.
    pub(super) answers: Vec<Value>,
    /// The message `@original`.
    pub(super) original: Option<Id>,
    /// All messages in response, including the first.
    pub(super) said: Vec<Id>,
    /// The number of edits of the first response.
    pub(super) edits: u32,
}

impl Interaction {
    pub(super) fn new(kind: Kind, token: String, created: u64, channel: Id, user: Id) -> Self {
        let (message, opened_by, original, target) = (None, None, None, json!({}));
        let (answers, said) = (Vec::new(), Vec::new());
        let (answered, edits) = (false, 0);
        Self {
            kind,
            token,
            frame: Value::Null,
            created,
            channel,
            user,
            message,
            opened_by,
            target,
            answered,
            answers,
            original,
            said,
            edits,
        }
    }
}
