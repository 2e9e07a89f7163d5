//! Messages: drafts of new ones, and the kinds of their fields.

use serde_json::Value;

/// The fields of service messages.
const SERVICE: [&str; 16] = [
    "new_chat_members",
    "left_chat_member",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "pinned_message",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "message_auto_delete_timer_changed",
];

/// The fields that are not copied, because they belong to one message.
pub(super) const OWN_FIELDS: [&str; 20] = [
    "message_id",
    "date",
    "chat",
    "from",
    "sender_chat",
    "message_thread_id",
    "is_topic_message",
    "reply_to_message",
    "external_reply",
    "quote",
    "edit_date",
    "reply_markup",
    "via_bot",
    "forward_origin",
    "media_group_id",
    "has_protected_content",
    "author_signature",
    "is_automatic_forward",
    "sender_tag",
    "effect_id",
];

/// The input for a new message.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) chat: i64,
    pub(super) author: i64,
    pub(super) thread: Option<i64>,
    /// The fields of the message: `text`, `entities`, `photo`, `reply_markup`.
    pub(super) content: Value,
    /// The id of the message that it replies to.
    pub(super) reply: Option<Value>,
}

impl Draft {
    pub(super) fn new(chat: i64, author: i64, content: Value) -> Self {
        Self { chat, author, thread: None, content, reply: None }
    }
}

/// Whether it is a service message.
pub(super) fn is_service(message: &Value) -> bool {
    SERVICE.iter().any(|field| !message[*field].is_null())
}
