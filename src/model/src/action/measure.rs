//! What is done to members, and what is changed on rooms.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// What is done to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// May not speak, until then.
    Mute {
        /// `None`: until unmuted, or as long as the platform lets it.
        until: Option<Millis>,
    },
    /// May speak again.
    Unmute,
    /// Has to leave, and may come back.
    Kick,
    /// Has to leave, and may not come back until then.
    Ban {
        /// `None`: until unbanned.
        until: Option<Millis>,
        /// Messages written since then go too.
        purge_since: Option<Millis>,
    },
    /// May come back.
    Unban,
    /// Gets a role, by its name.
    AddRole(String),
    /// Loses a role, by its name.
    RemoveRole(String),
    /// Is called that in this space; empty for the own name again.
    Rename(String),
}

/// What is changed on a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomChange {
    /// What the room is about; empty for nothing.
    Topic(String),
    /// How long everybody waits between two messages; 0 for not at all.
    Slowmode(Millis),
    /// Only moderators may speak, or everybody again.
    Locked(bool),
}
