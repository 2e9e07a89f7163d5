//! The chats, messages and users that actions refer to.

use palabre_types::{ActionError, MessageRef, RoomId, UserId};
use serde_json::Value;

use crate::telegram::Telegram;

/// A chat, and a topic of it.
pub(super) type Place = (i64, Option<i64>);

impl Telegram {
    /// Returns the chat and topic of a room.
    pub(super) fn place(&self, room: &RoomId) -> Result<Place, ActionError> {
        let native = room.native();
        self.cache.place(native).ok_or_else(|| ActionError::NotFound(format!("\"{native}\" is not a chat on Telegram")))
    }

    /// Returns the chat and the number of the message that an action refers to.
    pub(crate) fn target(&self, room: &RoomId, which: &MessageRef) -> Result<(i64, i64), ActionError> {
        match which {
            MessageRef::Id(id) | MessageRef::Own(id) => self.cache.message(room.native(), id.as_str()),
            MessageRef::Sent(key) => Err(ActionError::NotFound(format!("the message {key} was not sent"))),
        }
    }
}

/// Sets the topic of a request, if there is one.
pub(super) fn in_topic(body: &mut Value, topic: Option<i64>) {
    if let Some(topic) = topic {
        body["message_thread_id"] = topic.into();
    }
}

pub(super) fn person(user: &UserId) -> Result<i64, ActionError> {
    let native = user.native();
    native.parse().ok().ok_or_else(|| ActionError::NotFound(format!("\"{native}\" is not a Telegram user")))
}

/// Returns a user who can be written to in private.
///
/// A message to a chat that writes in its own name would be read by all its members.
pub(super) fn somebody(user: &UserId) -> Result<i64, ActionError> {
    match person(user)? {
        id if id > 0 => Ok(id),
        _ => Err(ActionError::Forbidden(
            "the author is a chat, and chats cannot receive private messages; answer in the room".to_owned(),
        )),
    }
}
