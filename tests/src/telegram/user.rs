//! Users and bots.

/// A user or bot.
#[derive(Debug, Clone)]
pub(super) struct User {
    /// The name in tests.
    pub(super) name: String,
    pub(super) first_name: String,
    pub(super) last_name: Option<String>,
    pub(super) username: Option<String>,
    pub(super) is_bot: bool,
    pub(super) language: String,
    /// Whether the user has started the bot, which may then write to them.
    pub(super) has_started: bool,
    /// Whether the user has blocked the bot.
    pub(super) blocks: bool,
}
