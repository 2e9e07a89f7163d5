use serde::{Deserialize, Serialize};

use crate::{RoomId, SpaceId};

/// What holds rooms: a guild, a forum supergroup, the room service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// `<bot>/<native id>`.
    pub id: SpaceId,
    /// The name that people see.
    pub name: String,
}

/// Where messages are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// `<bot>/<native id>`.
    pub id: RoomId,
    /// The name that people see.
    pub name: String,
    /// What kind of place it is.
    #[serde(default)]
    pub kind: RoomKind,
    /// What the room is about, where the platform has such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The language spoken there, as a BCP 47 tag, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl Room {
    /// A room open to many, of which no more is known.
    #[must_use]
    pub fn channel(id: RoomId, name: &str) -> Self {
        Self { id, name: name.to_owned(), kind: RoomKind::Channel, topic: None, locale: None }
    }
}

/// What kind of place a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Open to many.
    #[default]
    Channel,
    /// A side talk of a channel.
    Thread,
    /// Between one person and the bot.
    Direct,
}
