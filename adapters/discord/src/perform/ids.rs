//! Ids of channels, messages and emojis, as requests name them.

use palabre_types::{ActionError, MessageRef, RoomId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use serenity::model::id::MessageId;

use crate::encode::number;

/// Returns the id of a room's channel.
pub(super) fn channel(room: &RoomId) -> Result<u64, ActionError> {
    number(room.native(), "a channel's id")
}

/// Returns the id of a message. The engine has resolved references to messages that it sent.
pub(super) fn message(reference: &MessageRef) -> Result<MessageId, ActionError> {
    match reference {
        MessageRef::Id(id) | MessageRef::Own(id) => Ok(MessageId::new(number(id.as_str(), "a message's id")?)),
        MessageRef::Sent(key) => Err(ActionError::NotFound(format!("the message of {key}"))),
    }
}

/// Returns the id of an object that Discord has created.
pub(super) fn created_id(made: &Value) -> Option<u64> {
    made["id"].as_str()?.parse().ok()
}

/// Returns an emoji for a path: the character, or `name:id` of `<:name:id>`.
pub(super) fn reaction(emoji: &str) -> String {
    let inner = emoji.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match inner {
        Some(own) => {
            let own = own.strip_prefix("a:").or_else(|| own.strip_prefix(':')).unwrap_or(own);
            own.split(':')
                .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string())
                .collect::<Vec<_>>()
                .join(":")
        }
        None => utf8_percent_encode(emoji, NON_ALPHANUMERIC).to_string(),
    }
}
