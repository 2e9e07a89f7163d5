//! The invite links of chats.

use serde_json::{Value, json};

use crate::telegram::state::State;

impl State {
    /// Creates an invite link.
    pub(in crate::telegram) fn create_invite(&mut self, chat: i64, by: i64, fields: &Value, is_primary: bool) -> Value {
        let number = self.fresh();
        let mut link = json!({
            "invite_link": format!("https://t.me/+standin{number:08}"), "creator": self.user_frame(by),
            "is_primary": is_primary, "creates_join_request": fields["creates_join_request"] == true,
            "is_revoked": false,
        });
        for name in ["name", "expire_date", "member_limit"] {
            if !fields[name].is_null() {
                link[name] = fields[name].clone();
            }
        }
        self.place(chat).invites.push(link.clone());
        link
    }
}
