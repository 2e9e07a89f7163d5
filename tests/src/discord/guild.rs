//! Guilds, users and members.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::id::Id;

/// A user, in any number of guilds.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) display: Option<String>,
    pub(super) bot: bool,
    /// Whether the user accepts direct messages from the bot.
    pub(super) open_to_direct: bool,
}

/// A member of a guild.
#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) nick: Option<String>,
    pub(super) roles: Vec<Id>,
    pub(super) joined: String,
    pub(super) timeout: Option<String>,
    pub(super) mute: bool,
    pub(super) deaf: bool,
}

/// A guild. Its channels are in `State::channels`.
#[derive(Debug, Clone, Default)]
pub(super) struct Guild {
    pub(super) name: String,
    pub(super) owner: Id,
    pub(super) joined: String,
    pub(super) roles: BTreeMap<Id, Value>,
    pub(super) members: BTreeMap<Id, Member>,
    pub(super) bans: BTreeMap<Id, Option<String>>,
    pub(super) emojis: Vec<Value>,
    pub(super) stickers: Vec<Value>,
    pub(super) audit: Vec<Value>,
    pub(super) voice: HashMap<Id, Value>,
    pub(super) presences: HashMap<Id, Value>,
}
