//! The webhook of the bot.

/// The webhook of the bot.
#[derive(Debug, Clone, Default)]
pub(super) struct Webhook {
    /// Empty if there is none.
    pub(super) url: String,
    pub(super) secret: Option<String>,
    pub(super) connections: u64,
    /// The time and text of the last failure.
    pub(super) error: Option<(u64, String)>,
    /// Incremented when it is set, so that a pause ends.
    pub(super) number: u64,
}
