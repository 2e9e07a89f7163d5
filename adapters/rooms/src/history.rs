//! Tables of the room service: rooms, messages, message ids and nonces.

use std::collections::BTreeMap;

use palabre_store::{Direction, Result, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Attachment, Batch, Button, Content, Embed, Message, MessageId, Millis, Select, UserId};
use serde::{Deserialize, Serialize};

use crate::files;

/// Rooms by name.
pub(crate) const ROOMS: Table<String, RoomRow> = Table::new(TableId::Rooms);
/// Messages by room and position.
pub(crate) const MESSAGES: Table<(String, u64), MessageRow> = Table::new(TableId::RoomMessages);
/// Positions by room and message id.
///
/// They outlive a deleted message, so that a client that has it as its last one can still catch up.
pub(crate) const IDS: Table<(String, String), u64> = Table::new(TableId::RoomMessageIds);
/// Message ids by room, author and nonce.
pub(crate) const NONCES: Table<(String, String, String), String> = Table::new(TableId::RoomNonces);

/// Earlier versions of edited messages, by room, position and the number of edits before.
pub(crate) const EDITS: Table<(String, u64, u64), Version> = Table::new(TableId::RoomEdits);
/// Maximum number of earlier versions of a message that are kept; the newest ones.
pub(crate) const VERSIONS_MAX: u64 = 20;

/// Time for which a nonce is remembered, in milliseconds: longer than any client retries.
pub(crate) const NONCE_LIFE: Millis = 86_400_000;

/// A room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RoomRow {
    pub(crate) created: Millis,
    /// Upper bound of the positions: all messages are below it.
    #[serde(default)]
    pub(crate) next: u64,
    /// A message below this position was changed or deleted.
    #[serde(default)]
    pub(crate) changed: u64,
    /// Number of changes that have replaced or deleted the text of messages, without those of the hourly sweep.
    #[serde(default)]
    pub(crate) text_changes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    /// Minimum time between two messages of a person, in milliseconds; 0 disables slow mode.
    #[serde(default)]
    pub(crate) slowmode: Millis,
    #[serde(default)]
    pub(crate) locked: bool,
    /// Positions of the pinned messages, in the order in which they were pinned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pinned: Vec<u64>,
}

impl RoomRow {
    /// Whether the room has a topic, slow mode or a lock, which are kept while the room is empty.
    pub(crate) fn is_arranged(&self) -> bool {
        self.topic.is_some() || self.slowmode > 0 || self.locked
    }
}

/// An earlier version of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) text: String,
    /// The time of the edit that replaced it.
    pub(crate) until: Millis,
}

/// A stored message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    pub(crate) id: String,
    pub(crate) username: String,
    /// The id of the guest who wrote it and alone may change it. `None` for messages of bots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// The persona under which a bot posted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) persona: Option<String>,
    pub(crate) text: String,
    pub(crate) time: Millis,
    /// Whether a script posted it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) bot: bool,
    /// Whether another program posted it, which `author` names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) by_program: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) edited: bool,
    /// Number of edits by its author.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) edits: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) embeds: Vec<Embed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) select: Option<Select>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) attachments: Vec<Attachment>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) pinned: bool,
    /// Usernames by emoji.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reactions: BTreeMap<String, Vec<String>>,
    /// Guest ids of those usernames, by emoji and username.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reactors: BTreeMap<String, BTreeMap<String, String>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl MessageRow {
    /// Returns the message in the form that events carry.
    pub(crate) fn message(&self, author: UserId) -> Message {
        Message {
            id: MessageId::from(self.id.as_str()),
            author: Some(author),
            time: self.time,
            content: Content {
                text: self.text.clone(),
                buttons: self.buttons.clone(),
                embeds: self.embeds.clone(),
                select: self.select.clone(),
                attachments: self.attachments.clone(),
                ..Content::default()
            },
            reply_to: self.reply_to.as_deref().map(MessageId::from),
        }
    }
}

/// Adds the rows of a new message to `batch`.
pub(crate) fn add(batch: &mut Batch, room: &str, position: u64, row: &MessageRow) {
    MESSAGES.put(batch, &(room.to_owned(), position), row);
    IDS.put(batch, &(room.to_owned(), row.id.clone()), &position);
    if let Some(nonce) = &row.nonce {
        let key = (room.to_owned(), row.username.to_lowercase(), nonce.clone());
        NONCES.put_until(batch, &key, &row.id, Some(row.time + NONCE_LIFE));
    }
}

/// Deletes a message and its files in `batch`. Its position is kept.
pub(crate) fn remove(batch: &mut Batch, room: &str, position: u64, row: &MessageRow) {
    MESSAGES.delete(batch, &(room.to_owned(), position));
    for edit in row.edits.saturating_sub(VERSIONS_MAX)..row.edits {
        EDITS.delete(batch, &(room.to_owned(), position, edit));
    }
    files::remove(batch, &row.attachments);
}

/// Returns the last `count` messages of a room, oldest first.
pub(crate) fn last(snapshot: &Snapshot, room: &str, count: usize) -> Result<Vec<(u64, MessageRow)>> {
    let rows = MESSAGES.scan(snapshot, &room.to_owned(), Direction::Backward)?;
    let mut rows: Vec<_> =
        rows.take(count).map(|row| row.map(|((_, position), row)| (position, row))).collect::<Result<_>>()?;
    rows.reverse();
    Ok(rows)
}
