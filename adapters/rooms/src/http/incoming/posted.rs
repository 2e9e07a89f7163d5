//! The messages of a webhook that are durable.

/// The messages into which one message of a webhook was split.
pub(super) struct Posted {
    /// The id of the webhook.
    pub(super) webhook: String,
    pub(super) room: String,
    /// The name under which they are shown.
    pub(super) username: String,
    pub(super) ids: Vec<String>,
}
