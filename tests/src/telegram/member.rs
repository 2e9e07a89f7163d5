//! Members of chats: status and permissions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::kind::Kind;

/// Administrator rights that exist in all chats.
const EVERYWHERE: [&str; 10] = [
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
];
const IN_CHANNELS: [&str; 3] = ["can_post_messages", "can_edit_messages", "can_manage_direct_messages"];
const IN_GROUPS: [&str; 3] = ["can_pin_messages", "can_manage_topics", "can_manage_tags"];

/// Permissions of unrestricted group members.
pub(super) const PERMISSIONS: [&str; 16] = [
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
];

/// The status of a user in a chat.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Status {
    Creator,
    /// With these rights.
    Administrator(BTreeSet<String>),
    Member,
    /// With these permissions, until a time in seconds (0 for ever); the user may have left.
    Restricted {
        permissions: BTreeSet<String>,
        until: u64,
        is_member: bool,
    },
    Left,
    /// Until a time in seconds, 0 for ever.
    Kicked {
        until: u64,
    },
}

/// The membership of a user in a chat.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) status: Status,
    /// The title or tag next to the name.
    pub(super) title: Option<String>,
    /// The user who promoted them.
    pub(super) promoted_by: Option<i64>,
}

impl Member {
    pub(super) fn new(status: Status) -> Self {
        Self { status, title: None, promoted_by: None }
    }

    pub(super) fn is_in(&self) -> bool {
        match &self.status {
            Status::Creator | Status::Administrator(_) | Status::Member => true,
            Status::Restricted { is_member, .. } => *is_member,
            Status::Left | Status::Kicked { .. } => false,
        }
    }

    pub(super) fn is_admin(&self) -> bool {
        matches!(self.status, Status::Creator | Status::Administrator(_))
    }
}

/// Returns the rights that an administrator can have in a kind of chat.
pub(super) fn rights_in(kind: Kind) -> BTreeSet<String> {
    let more = if kind == Kind::Channel { IN_CHANNELS } else { IN_GROUPS };
    EVERYWHERE.into_iter().chain(more).map(ToOwned::to_owned).collect()
}

/// Returns the names of fields that are true.
pub(super) fn granted(object: &Value) -> BTreeSet<String> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(name, value)| name.starts_with("can_") && **value == true).map(|(name, _)| name.clone()).collect()
}
