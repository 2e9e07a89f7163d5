//! What people see.

use palabre_model::Button;

/// A message as people see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// The name that it is said under.
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) buttons: Vec<Button>,
    /// What stands in a list to be chosen.
    pub(crate) select: Option<Vec<String>>,
    /// All that stands in its framed parts.
    pub(crate) embeds: Vec<String>,
    /// Names and contents.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) reply_to: Option<String>,
    /// Emoji of the bot.
    pub(crate) reactions: Vec<String>,
    pub(crate) pinned: bool,
    pub(crate) silent: bool,
    /// Whom it notifies, by native id; `everyone` is everyone.
    pub(crate) notifies: Vec<String>,
}

/// What has become of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenMember {
    pub(crate) is_there: bool,
    pub(crate) is_muted: bool,
    pub(crate) is_banned: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) nickname: Option<String>,
}

/// How a room is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenRoom {
    pub(crate) topic: Option<String>,
    /// In seconds.
    pub(crate) slowmode: u64,
    pub(crate) is_locked: bool,
}
