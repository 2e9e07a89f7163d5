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

/// What a measure is to whoever it is taken against: the hierarchy treats them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impact {
    /// It keeps them from speaking or from being there.
    Restricts,
    /// It changes something of theirs: their name, a role that they lose, what they have written.
    Changes,
    /// It ends a restriction.
    Lifts,
    /// It gives them something.
    Grants,
}

impl Measure {
    /// What it is to whoever it is taken against.
    #[must_use]
    pub const fn impact(&self) -> Impact {
        match self {
            Self::Mute { .. } | Self::Kick | Self::Ban { .. } => Impact::Restricts,
            Self::RemoveRole(_) | Self::Rename(_) => Impact::Changes,
            Self::Unmute | Self::Unban => Impact::Lifts,
            Self::AddRole(_) => Impact::Grants,
        }
    }
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
