//! State as users see it.

use palabre_types::Button;

/// A message as users see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// The displayed name of the author.
    pub(crate) author: String,
    pub(crate) text: String,
    pub(crate) buttons: Vec<Button>,
    /// The options of a list.
    pub(crate) select: Option<Vec<String>>,
    /// All texts of the embeds.
    pub(crate) embeds: Vec<String>,
    /// Names and contents.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) reply_to: Option<String>,
    /// Emoji of the bot's reactions.
    pub(crate) reactions: Vec<String>,
    pub(crate) pinned: bool,
    pub(crate) silent: bool,
    /// Notified users by native id; `everyone` stands for everyone.
    pub(crate) notifies: Vec<String>,
}

/// Returns the state of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenMember {
    pub(crate) is_there: bool,
    pub(crate) is_muted: bool,
    pub(crate) is_banned: bool,
    pub(crate) roles: Vec<String>,
    pub(crate) nickname: Option<String>,
}

/// The state of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SeenRoom {
    pub(crate) topic: Option<String>,
    /// In seconds.
    pub(crate) slowmode: u64,
    pub(crate) is_locked: bool,
}
