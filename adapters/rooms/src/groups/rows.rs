//! Tables of rooms that accounts have created.

use palabre_store::Table;
use palabre_types::{Millis, Permission, TableId};
use serde::{Deserialize, Serialize};

/// Rooms by name.
pub(crate) const GROUPS: Table<String, GroupRow> = Table::new(TableId::RoomGroups);
/// Members by room and account.
pub(crate) const MEMBERSHIPS: Table<(String, String), MembershipRow> = Table::new(TableId::RoomMemberships);
/// Invites by room and code.
pub(crate) const INVITES: Table<(String, String), InviteRow> = Table::new(TableId::RoomInvites);
/// The room of each code.
pub(crate) const INVITE_CODES: Table<String, String> = Table::new(TableId::RoomInviteCodes);

/// A room that an account has created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRow {
    pub(crate) created: Millis,
    pub(crate) created_by: String,
    pub(crate) visibility: Visibility,
    /// Whether people without an account may enter.
    pub(crate) allows_guests: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_archived: bool,
    /// Its deletion has begun, and is completed after a restart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_deleted: bool,
    /// Its deletion is complete. The name stays closed until somebody creates another room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_erased: bool,
}

/// The people who may enter a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// Members, who need an invite.
    Private,
}

/// An account in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MembershipRow {
    pub(crate) role: RoomRole,
    pub(crate) since: Millis,
}

/// A role in one room, from the lowest. It counts only there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoomRole {
    /// May not enter.
    Banned,
    /// May read.
    Muted,
    /// May enter and write.
    Member,
    /// May also moderate, and invite.
    Moderator,
    /// May also change and delete the room, and name moderators.
    Owner,
}

impl RoomRole {
    /// Returns the permission level that it gives in its room.
    pub(crate) const fn permission(self) -> Permission {
        match self {
            Self::Banned | Self::Muted => Permission::Everyone,
            Self::Member => Permission::Member,
            Self::Moderator => Permission::Moderator,
            Self::Owner => Permission::Admin,
        }
    }
}

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InviteRow {
    pub(crate) created: Millis,
    pub(crate) created_by: String,
    pub(crate) expires: Option<Millis>,
    /// Number of times that it can still be used; any number if there is none.
    pub(crate) uses_left: Option<u32>,
}
