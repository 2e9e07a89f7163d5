//! The channel between the sources of updates, polling and the webhook, and their receiver.

use serde_json::Value;
use tokio::sync::oneshot;

/// The updates that are requested: all that concern the bot, also those that become native events.
/// <https://core.telegram.org/bots/api#update>
pub(super) const ALLOWED_UPDATES: &[&str] = &[
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
];

/// A message from the source of updates.
pub(crate) enum Incoming {
    /// Updates that arrived together, and the channel that confirms that they are durable.
    Updates(Vec<Value>, oneshot::Sender<()>),
    /// The next updates have lower numbers than those before, and are different ones all the same.
    Renumbered,
    /// Telegram cannot be reached.
    Lost(String),
    /// Telegram can be reached again.
    Back,
}
