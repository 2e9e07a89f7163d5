//! What clients are told.

use std::collections::BTreeMap;

use palabre_model::{Attachment, Button, Embed, Form, FormField, Millis, Select, iso8601};
use serde::Serialize;

use crate::history::MessageRow;

/// Why somebody who is in no room is refused. Our page comes in again by itself when it is told this.
pub(crate) const NOT_IN_ROOM: &str = "join a room first";

/// A message as clients have it.
#[derive(Debug, Serialize)]
pub(crate) struct WireMessage<'m> {
    id: &'m str,
    username: &'m str,
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
    /// Seen by one person alone, who did something that it answers.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ephemeral: bool,
    /// Said to one person alone, wherever they are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    private: bool,
}

pub(crate) fn message<'m>(room: &'m str, row: &'m MessageRow) -> WireMessage<'m> {
    WireMessage {
        id: &row.id,
        username: row.persona.as_ref().unwrap_or(&row.username),
        message: &row.text,
        timestamp: iso8601(row.time),
        room,
        kind: "message",
        bot: row.bot,
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

/// A message for one person, which no history has.
pub(crate) fn aside<'m>(room: &'m str, row: &'m MessageRow, is_private: bool) -> WireMessage<'m> {
    WireMessage { ephemeral: !is_private, private: is_private, ..message(room, row) }
}

/// Somebody in a room.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct WireUser {
    pub(crate) username: String,
    pub(crate) bot: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoomJoined<'m> {
    pub(crate) room: &'m str,
    pub(crate) username: &'m str,
    pub(crate) messages: Vec<WireMessage<'m>>,
    pub(crate) users: Vec<WireUser>,
    /// The messages are only those after `last_id`.
    pub(crate) catch_up: bool,
    /// All that are pinned, also those that are older than `messages`.
    pub(crate) pinned: Vec<WireMessage<'m>>,
    pub(crate) topic: Option<&'m str>,
    /// In seconds.
    pub(crate) slowmode: Option<u64>,
    pub(crate) locked: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoomUpdated<'m> {
    pub(crate) room: &'m str,
    pub(crate) topic: Option<&'m str>,
    /// In seconds.
    pub(crate) slowmode: Option<u64>,
    pub(crate) locked: bool,
}

/// What was done to the person who is told.
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

/// When a term ends, where it does.
pub(crate) fn end(until: Option<Millis>) -> Option<String> {
    until.filter(|until| *until < Millis::MAX).map(iso8601)
}

/// A form as the one person has it who is to fill it in.
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
pub(crate) struct Told<'m> {
    pub(crate) message: &'m str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Announced<'m> {
    pub(crate) username: &'m str,
    pub(crate) message: String,
}

/// What an acknowledgement carries.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Ack {
    Id {
        id: String,
    },
    /// Where a file is to be put.
    Upload {
        id: String,
        url: String,
    },
    Error {
        error: String,
    },
    Done {},
}
