//! Events of the gateway, before they are sent to sessions.

use serde_json::Value;

use super::id::Id;

/// An event for all sessions that requested it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) guild: Option<Id>,
    pub(super) data: Value,
    /// Whether it is about the bot itself.
    pub(super) of_bot: bool,
}
