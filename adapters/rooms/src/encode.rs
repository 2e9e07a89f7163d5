//! Events and acknowledgements that are sent to clients.

use std::collections::BTreeMap;

use palabre_types::{Attachment, Button, Embed, Form, FormField, Millis, Select, iso8601};
use serde::Serialize;

use crate::guests::public_id;
use crate::history::MessageRow;
use crate::json_size::json_size;

/// The error for a client that is in no room. Our page rejoins by itself when it receives it.
pub(crate) const NOT_IN_ROOM: &str = "join a room first";

/// A message in the form that clients receive.
#[derive(Debug, Serialize)]
pub(crate) struct WireMessage<'m> {
    id: &'m str,
    username: &'m str,
    /// The public id of the guest who wrote it: other guests may use the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'m str>,
    message: &'m str,
    timestamp: String,
    room: &'m str,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bot: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    edited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'m str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    buttons: &'m [Button],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    embeds: &'m [Embed],
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<&'m Select>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    attachments: &'m [Attachment],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pinned: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reactions: &'m BTreeMap<String, Vec<String>>,
    /// Visible only to the user whose action it answers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ephemeral: bool,
    /// A direct message, shown in every room that the user is in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    private: bool,
}

pub(crate) fn message<'m>(room: &'m str, row: &'m MessageRow) -> WireMessage<'m> {
    WireMessage {
        id: &row.id,
        username: row.persona.as_ref().unwrap_or(&row.username),
        author: row.author.as_deref().map(public_id),
        message: &row.text,
        timestamp: iso8601(row.time),
        room,
        kind: "message",
        bot: row.bot || row.by_program,
        edited: row.edited,
        reply_to: row.reply_to.as_deref(),
        nonce: row.nonce.as_deref(),
        buttons: &row.buttons,
        embeds: &row.embeds,
        select: row.select.as_ref(),
        attachments: &row.attachments,
        pinned: row.pinned,
        reactions: &row.reactions,
        ephemeral: false,
        private: false,
    }
}

/// Returns the size of a message as JSON, in bytes.
pub(crate) fn size(room: &str, row: &MessageRow) -> usize {
    json_size(&message(room, row))
}

/// A message for one user, which is not stored.
///
/// It is a direct message if `is_private`, otherwise an ephemeral message.
pub(crate) fn ephemeral_message<'m>(room: &'m str, row: &'m MessageRow, is_private: bool) -> WireMessage<'m> {
    WireMessage { ephemeral: !is_private, private: is_private, ..message(room, row) }
}

/// A person or bot in a room.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WireUser {
    pub(crate) username: String,
    pub(crate) bot: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoomJoined<'m> {
    pub(crate) room: &'m str,
    pub(crate) username: &'m str,
    /// Identifies the guest on the next connection. People with an account have none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) token: &'m str,
    /// The `author` of the client's own messages.
    pub(crate) author: &'m str,
    pub(crate) messages: Vec<WireMessage<'m>>,
    /// Whether the messages are only those after `last_id`.
    pub(crate) catch_up: bool,
    /// Whether there are more messages: later ones when catching up, otherwise earlier ones.
    pub(crate) has_more: bool,
    /// The id to continue from with `history`: as `after` when catching up, otherwise as `before`.
    pub(crate) cursor: Option<&'m str>,
    /// The first page of the people in the room.
    pub(crate) users: Vec<WireUser>,
    /// Number of people in the room.
    pub(crate) count: usize,
    /// Cursor of the next page of people, for `room_users`.
    pub(crate) next_users: Option<String>,
    /// Pinned messages, including those that are older than `messages`.
    pub(crate) pinned: Vec<WireMessage<'m>>,
    pub(crate) topic: Option<&'m str>,
    /// In seconds.
    pub(crate) slowmode: Option<u64>,
    pub(crate) locked: bool,
}

/// A page of the history, oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct HistoryPage<'m> {
    pub(crate) messages: Vec<WireMessage<'m>>,
    /// Whether there are more messages in the requested direction.
    pub(crate) has_more: bool,
    /// The id to continue from.
    pub(crate) cursor: Option<&'m str>,
}

/// A page of the people in a room, by name, followed by the bot.
#[derive(Debug, Serialize)]
pub(crate) struct RoomUsers<'m> {
    pub(crate) room: &'m str,
    pub(crate) users: Vec<WireUser>,
    /// Number of people in the room.
    pub(crate) count: usize,
    /// The cursor of the request; `None` is the first page.
    pub(crate) cursor: Option<&'m str>,
    /// The cursor of the next page, if there is one.
    pub(crate) next: Option<String>,
}

/// The joins and leaves of the last half second in a large room.
#[derive(Debug, Serialize)]
pub(crate) struct Presence<'m> {
    pub(crate) room: &'m str,
    pub(crate) joined: Vec<String>,
    pub(crate) left: Vec<String>,
    pub(crate) count: usize,
    /// Whether there were too many names to list them all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) truncated: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoomUpdated<'m> {
    pub(crate) room: &'m str,
    pub(crate) topic: Option<&'m str>,
    /// In seconds.
    pub(crate) slowmode: Option<u64>,
    pub(crate) locked: bool,
}

/// A moderation action, as reported to the user it concerns.
#[derive(Debug, Serialize)]
pub(crate) struct Moderated<'m> {
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// The role or the nickname.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'m str>,
}

/// Formats the end of a mute or ban; `None` if it is indefinite.
pub(crate) fn end(until: Option<Millis>) -> Option<String> {
    until.filter(|until| *until < Millis::MAX).map(iso8601)
}

/// A form, as sent to the user who is to fill it in.
#[derive(Debug, Serialize)]
pub(crate) struct WireForm<'m> {
    form: &'m str,
    title: &'m str,
    fields: Vec<WireField<'m>>,
}

#[derive(Debug, Serialize)]
struct WireField<'m> {
    name: &'m str,
    label: &'m str,
    long: bool,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placeholder: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'m str>,
}

pub(crate) fn form<'m>(id: &'m str, form: &'m Form) -> WireForm<'m> {
    let field = |field: &'m FormField| WireField {
        name: &field.name,
        label: &field.label,
        long: field.long,
        required: !field.optional,
        min: field.min,
        max: field.max,
        placeholder: field.placeholder.as_deref(),
        value: field.value.as_deref(),
    };
    WireForm { form: id, title: &form.title, fields: form.fields.iter().map(field).collect() }
}

#[derive(Debug, Serialize)]
pub(crate) struct ErrorMessage<'m> {
    pub(crate) message: &'m str,
}

/// The first event of a connection.
#[derive(Debug, Serialize)]
pub(crate) struct Connected<'m> {
    pub(crate) message: &'m str,
    /// The name of the account that is signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<&'m str>,
    /// Identifies the guest on the next connection. People with an account have none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) token: &'m str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Announced<'m> {
    pub(crate) username: &'m str,
    pub(crate) message: String,
    /// Number of people in the room now.
    pub(crate) count: usize,
}

/// The content of an acknowledgement.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Ack {
    Id {
        id: String,
    },
    /// The address to which a file is to be uploaded.
    Upload {
        id: String,
        url: String,
    },
    Error {
        error: String,
    },
    Done {},
}
