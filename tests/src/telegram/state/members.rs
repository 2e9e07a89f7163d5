//! The members of chats: their rights, and changes of memberships.

use serde_json::{Value, json};

use crate::json::merge;
use crate::telegram::member::{Member, PERMISSIONS, Status, rights_in};
use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

impl State {
    /// Returns the membership of a user. An expired ban or restriction does not count.
    pub(in crate::telegram) fn member(&self, chat: i64, user: i64) -> Member {
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
    pub(in crate::telegram) fn has_right(&self, chat: i64, user: i64, right: &str) -> bool {
        match self.member(chat, user).status {
            Status::Creator => true,
            Status::Administrator(rights) => rights.contains(right),
            Status::Member | Status::Restricted { .. } | Status::Left | Status::Kicked { .. } => false,
        }
    }

    /// Whether a user has a permission, as an administrator or because every member has it.
    pub(in crate::telegram) fn is_permitted(&self, chat: i64, user: i64, permission: &str) -> bool {
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
    pub(in crate::telegram) fn need(&self, chat: i64, right: &str, to: &str) -> Result<(), Refusal> {
        if self.has_right(chat, self.bot, right) { Ok(()) } else { Err(Refusal::not_enough_rights(to)) }
    }

    /// A member as Telegram represents them.
    pub(in crate::telegram) fn member_frame(&self, chat: i64, user: i64) -> Value {
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
    pub(in crate::telegram) fn set_member(&mut self, chat: i64, by: i64, user: i64, member: Member, more: &Value) {
        let old = self.member(chat, user);
        self.place(chat).members.insert(user, member.clone());
        if old == member {
            return;
        }
        let mut update = json!({
            "chat": self.chat_frame(chat), "from": self.user_frame(by), "date": self.seconds(),
            "old_chat_member": self.frame_of(chat, user, &old), "new_chat_member": self.frame_of(chat, user, &member),
        });
        merge(&mut update, more.clone());
        if user == self.bot {
            self.give("my_chat_member", update);
        } else if self.member(chat, self.bot).is_admin() {
            self.give("chat_member", update);
        }
    }
}
