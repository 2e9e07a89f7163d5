//! The input for new messages.

use serde_json::{Value, json};

use crate::server::upload::Upload;

use super::id::Id;

/// The input for a new message. `body` has the fields of Discord's create call.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) channel: Id,
    pub(super) author: Id,
    /// The webhook that posts it, with the name that it uses.
    pub(super) webhook: Option<(Id, Option<String>)>,
    pub(super) body: Value,
    pub(super) files: Vec<Upload>,
    /// Discord's kind of message: 0 default, 19 reply, 20 command.
    pub(super) kind: u64,
    /// Fields that no call sets, such as `interaction_metadata`.
    pub(super) more: Value,
}

impl Draft {
    pub(super) fn new(channel: Id, author: Id, body: Value) -> Self {
        Self { channel, author, webhook: None, body, files: Vec::new(), kind: 0, more: json!({}) }
    }
}
