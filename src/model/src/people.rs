use serde::{Deserialize, Serialize};

use crate::UserId;

/// A person, or another program that speaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// `<bot>/<native id>`.
    pub id: UserId,
    /// The name that others see.
    pub name: String,
    /// True for programs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
    /// The language that the platform knows of, as a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The address of their picture, where the platform shows it to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

/// A person in a space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who it is.
    pub user: UserId,
    /// Names of the roles held in the space.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The name used in this space alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// Whether the member may not speak at present.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
    /// What the platform itself lets them do, where it says so; bots.yaml may map roles to more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<Permission>,
}

/// How much somebody may do; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Anybody at all.
    #[default]
    Everyone,
    /// Whoever belongs to the space.
    Member,
    /// Whom the operator trusts.
    Trusted,
    /// Who keeps order.
    Moderator,
    /// Who runs the space.
    Admin,
    /// Who runs the bots.
    Owner,
}

/// How high somebody stands by the platform's own order, where it has one: the position of the highest role on Discord, creator
/// above administrators above members on Telegram. Whoever stands as high or higher cannot be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Rank(pub u32);

impl Rank {
    /// Above everybody: the owner of the space.
    pub const OWNER: Self = Self(u32::MAX);
}

impl Permission {
    /// All levels, the lowest first.
    pub const ALL: &'static [Self] =
        &[Self::Everyone, Self::Member, Self::Trusted, Self::Moderator, Self::Admin, Self::Owner];

    /// As scripts and bots.yaml name it.
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

    /// The level of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.as_str() == name)
    }
}
