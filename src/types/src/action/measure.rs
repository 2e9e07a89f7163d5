//! Moderation measures against members, and changes of rooms.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// A moderation measure: one change to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Forbids the member to write.
    Mute {
        /// The end of the mute. `None`: until unmuted, or as long as the platform allows.
        until: Option<Millis>,
    },
    /// Ends a mute.
    Unmute,
    /// Removes the member, who may join again.
    Kick,
    /// Removes the member, who may not join again before the ban ends.
    Ban {
        /// The end of the ban. `None`: until unbanned.
        until: Option<Millis>,
        /// Messages of the member since this time are removed too.
        purge_since: Option<Millis>,
    },
    /// Ends a ban.
    Unban,
    /// Gives the member the role of this name.
    AddRole(String),
    /// Takes the role of this name from the member.
    RemoveRole(String),
    /// Sets the nickname in this space; an empty one restores the user's own name.
    Rename(String),
}

/// The effect of a measure on its target.
///
/// The check of the role hierarchy treats each differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Keeps the member from writing or from staying in the space.
    Restricts,
    /// Changes something of the member's: the name, a role that is taken, messages.
    Changes,
    /// Ends a restriction.
    Lifts,
    /// Gives the member something.
    Grants,
}

impl Measure {
    /// Returns the effect of the measure on its target.
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

/// A change of a room's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoomChange {
    /// The topic; empty to remove it.
    Topic(String),
    /// The minimum time between two messages of one user; 0 to remove it.
    Slowmode(Millis),
    /// Whether only moderators may write.
    Locked(bool),
}
