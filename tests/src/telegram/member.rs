//! Members of chats: status and permissions.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::chat::Kind;
use super::refusal::Refusal;
use super::state::State;

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

impl State {
    /// Returns the membership of a user. An expired ban or restriction does not count.
    pub(super) fn member(&self, chat: i64, user: i64) -> Member {
        let now = self.seconds();
        let found = self.chats[&chat].members.get(&user).cloned().unwrap_or(Member::new(Status::Left));
        match found.status {
            Status::Kicked { until } if until != 0 && until <= now => Member::new(Status::Left),
            Status::Restricted { until, is_member, .. } if until != 0 && until <= now => {
                Member::new(if is_member { Status::Member } else { Status::Left })
            }
            _ => found,
        }
    }

    /// Whether a user has a right as an administrator.
    pub(super) fn has_right(&self, chat: i64, user: i64, right: &str) -> bool {
        match self.member(chat, user).status {
            Status::Creator => true,
            Status::Administrator(rights) => rights.contains(right),
            Status::Member | Status::Restricted { .. } | Status::Left | Status::Kicked { .. } => false,
        }
    }

    /// Whether a user has a permission, as an administrator or because every member has it.
    pub(super) fn is_permitted(&self, chat: i64, user: i64, permission: &str) -> bool {
        match self.member(chat, user).status {
            Status::Creator => true,
            Status::Administrator(rights) => rights.contains(permission) || permission.starts_with("can_send_"),
            Status::Member => self.chats[&chat].permissions.contains(permission),
            Status::Restricted { permissions, is_member, .. } => {
                is_member && permissions.contains(permission) && self.chats[&chat].permissions.contains(permission)
            }
            Status::Left | Status::Kicked { .. } => false,
        }
    }

    /// Checks that the bot has a right; `to` completes Telegram's error.
    pub(super) fn need(&self, chat: i64, right: &str, to: &str) -> Result<(), Refusal> {
        if self.has_right(chat, self.bot, right) { Ok(()) } else { Err(Refusal::not_enough_rights(to)) }
    }

    /// A member as Telegram represents them.
    pub(super) fn member_frame(&self, chat: i64, user: i64) -> Value {
        self.frame_of(chat, user, &self.member(chat, user))
    }

    fn frame_of(&self, chat: i64, user: i64, member: &Member) -> Value {
        let mut frame = json!({ "user": self.user_frame(user) });
        let kind = self.chats[&chat].kind;
        let status = match &member.status {
            Status::Creator => {
                frame["is_anonymous"] = json!(false);
                "creator"
            }
            Status::Administrator(rights) => {
                for right in rights_in(kind) {
                    frame[&right] = json!(rights.contains(&right));
                }
                frame["is_anonymous"] = json!(false);
                frame["can_be_edited"] = json!(member.promoted_by == Some(self.bot));
                "administrator"
            }
            Status::Member => "member",
            Status::Restricted { permissions, until, is_member } => {
                for permission in PERMISSIONS {
                    frame[permission] = json!(permissions.contains(permission));
                }
                frame["until_date"] = json!(until);
                frame["is_member"] = json!(is_member);
                "restricted"
            }
            Status::Left => "left",
            Status::Kicked { until } => {
                frame["until_date"] = json!(until);
                "kicked"
            }
        };
        frame["status"] = json!(status);
        if let Some(title) = &member.title {
            // Administrators have a title, all others a tag.
            let is_admin = matches!(member.status, Status::Creator | Status::Administrator(_));
            frame[if is_admin { "custom_title" } else { "tag" }] = json!(title);
        }
        frame
    }

    /// Changes a membership, and sends the update if the bot requested it or is affected.
    pub(super) fn set_member(&mut self, chat: i64, by: i64, user: i64, member: Member, more: &Value) {
        let old = self.member(chat, user);
        self.place(chat).members.insert(user, member.clone());
        if old == member {
            return;
        }
        let mut update = json!({
            "chat": self.chat_frame(chat), "from": self.user_frame(by), "date": self.seconds(),
            "old_chat_member": self.frame_of(chat, user, &old), "new_chat_member": self.frame_of(chat, user, &member),
        });
        crate::json::merge(&mut update, more.clone());
        if user == self.bot {
            self.give("my_chat_member", update);
        } else if self.member(chat, self.bot).is_admin() {
            self.give("chat_member", update);
        }
    }
}
