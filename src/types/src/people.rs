//! Users, members, permission levels, and why somebody may not act on somebody.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// A user, or a program that writes messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// `<bot>/<native id>`.
    pub id: UserId,
    /// The display name.
    pub name: String,
    /// True for programs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
    /// The user's language on the platform, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The address of their picture, if the platform shows it to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A user in a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The names of the member's roles in the space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The nickname in this space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Whether the member may not write at present.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
    /// The permission level on the platform, where known.
    ///
    /// bots.yaml may map roles to a higher one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
}

/// A permission level; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Anybody.
    #[default]
    Everyone,
    /// Members of the space.
    Member,
    /// Users that the operator trusts.
    Trusted,
    /// Moderators of the space.
    Moderator,
    /// Administrators of the space.
    Admin,
    /// Operators of the bots.
    Owner,
}

/// A position in the platform's own hierarchy, where it has one.
///
/// On Discord the position of the highest role, on Telegram creator above administrators above
/// members. A member can only act on those of a lower rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Rank(pub u32);

impl Rank {
    /// The rank of the owner of the space, above all others.
    pub const OWNER: Self = Self(u32::MAX);
}

impl Permission {
    /// All levels, from the lowest.
    pub const ALL: &'static [Self] =
        &[Self::Everyone, Self::Member, Self::Trusted, Self::Moderator, Self::Admin, Self::Owner];

    /// Returns the name that scripts and bots.yaml use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Member => "member",
            Self::Trusted => "trusted",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Returns the level of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.as_str() == name)
    }
}

/// The reason why a user may not act on another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Denied {
    /// The target is the bot.
    #[error("the target is the bot itself")]
    TheBot,
    /// The target is the requester.
    #[error("the target is the user who asked for it")]
    Oneself,
    /// The target has the same or a higher permission level.
    #[error("the target has the same permission level as the user who asked for it, or a higher one")]
    Level,
    /// The target is at least a moderator, and the script acts on its own.
    #[error("the target is a moderator, on whom a script does not act on its own")]
    Moderator,
    /// The target has the same or a higher rank on the platform.
    #[error("the target has the same rank on the platform as the user who asked for it, or a higher one")]
    Rank,
    /// The target has the same or a higher rank on the platform than the bot.
    #[error("the target has the same rank on the platform as the bot, or a higher one")]
    BotRank,
}
