//! Spaces and rooms.

use serde::{Deserialize, Serialize};

use crate::ids::{RoomId, SpaceId};

/// A container of rooms: a guild, a forum supergroup, or the room service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// `<bot>/<native id>`.
    pub id: SpaceId,
    /// The display name.
    pub name: String,
}

/// A place where messages are posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// `<bot>/<native id>`.
    pub id: RoomId,
    /// The display name.
    pub name: String,
    /// The kind.
    #[serde(default)]
    pub kind: RoomKind,
    /// The topic, on platforms that have topics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The language of the room, as a BCP 47 tag, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl Room {
    /// Creates a channel with only an id and a name.
    #[must_use]
    pub fn channel(id: RoomId, name: &str) -> Self {
        Self { id, name: name.to_owned(), kind: RoomKind::Channel, topic: None, locale: None }
    }
}

/// The kind of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// A room that many users share.
    #[default]
    Channel,
    /// A thread of a channel.
    Thread,
    /// A private room of one user and the bot.
    Direct,
}
