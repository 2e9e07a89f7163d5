//! Pages of the change log, in the form of the events that clients receive.

use palabre_store::{Direction, Result, Snapshot};
use palabre_types::Millis;
use serde_json::{Value, json};

use super::rows::{CHANGES, ChangeRow, Recorded, newest};
use crate::encode::message;
use crate::history::{MESSAGES, ROOMS};

/// Maximum number of changes that are read for a page.
const SCANNED_MAX: usize = 2_000;
/// Size at which a page is complete, in bytes.
const PAGE_BYTES: usize = 128 << 10;

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamEvent {
    /// The number of the change, which is the cursor to resume from.
    pub(crate) number: u64,
    pub(crate) name: &'static str,
    /// JSON.
    pub(crate) data: String,
}

/// A page of the log.
#[derive(Debug)]
pub(crate) struct ChangePage {
    pub(crate) events: Vec<StreamEvent>,
    /// The number to continue from.
    pub(crate) last: u64,
    pub(crate) has_more: bool,
    /// Whether changes after the cursor are not in the log any more.
    pub(crate) is_cut_off: bool,
}

/// Returns the page after a number, with the changes of the rooms that `follows` selects.
pub(crate) fn after(snapshot: &Snapshot, number: u64, follows: impl Fn(&str) -> bool) -> Result<ChangePage> {
    let mut page = ChangePage { events: Vec::new(), last: number, has_more: false, is_cut_off: false };
    let oldest = CHANGES.scan(snapshot, &Vec::new(), Direction::Forward)?.next().transpose()?;
    let (oldest, newest) = (oldest.map(|(oldest, _)| oldest), newest(snapshot)?.map(|(newest, _)| newest));
    // The store may be an older copy, in which the number was not given out yet.
    if oldest.is_none_or(|oldest| number < oldest) || newest.is_none_or(|newest| number > newest) {
        page.is_cut_off = true;
        page.last = newest.unwrap_or(number);
        return Ok(page);
    }
    let mut bytes = 0;
    let changes = CHANGES.scan_after(snapshot, &Vec::new(), &number, Direction::Forward)?;
    for (index, row) in changes.enumerate() {
        let (number, row) = row?;
        page.last = number;
        if follows(&row.room)
            && let Some((name, data)) = describe(snapshot, &row)?
        {
            let data = data.to_string();
            bytes += data.len();
            page.events.push(StreamEvent { number, name, data });
        }
        if index + 1 >= SCANNED_MAX || bytes >= PAGE_BYTES {
            page.has_more = true;
            break;
        }
    }
    Ok(page)
}

/// Returns the name and the data of a change; `None` if its message was deleted since.
fn describe(snapshot: &Snapshot, row: &ChangeRow) -> Result<Option<(&'static str, Value)>> {
    let room = &row.room;
    let of_message = |name: &'static str, position: u64| -> Result<Option<(&'static str, Value)>> {
        let found = MESSAGES.get(snapshot, &(room.clone(), position))?;
        Ok(found.map(|found| (name, json!(message(room, &found)))))
    };
    Ok(Some(match &row.change {
        Recorded::Posted { position } => return of_message("message", *position),
        Recorded::Edited { position } => return of_message("message_edited", *position),
        Recorded::Deleted { ids } => match ids.as_slice() {
            [id] => ("message_deleted", json!({ "id": id, "room": room })),
            ids => ("messages_deleted", json!({ "ids": ids, "room": room })),
        },
        Recorded::Reaction { id, emoji, username, added } => {
            ("reaction", json!({ "id": id, "room": room, "emoji": emoji, "username": username, "added": added }))
        }
        Recorded::Pinned { id, pinned } => ("message_pinned", json!({ "id": id, "room": room, "pinned": pinned })),
        Recorded::Arranged => ("room_updated", rules(snapshot, room)?),
        Recorded::Read { id, username } => ("message_read", json!({ "id": id, "room": room, "username": username })),
        Recorded::Began | Recorded::Ended => return Ok(None),
    }))
}

/// Returns topic, slow mode and lock of a room, as they are now.
fn rules(snapshot: &Snapshot, room: &str) -> Result<Value> {
    let row = ROOMS.get(snapshot, &room.to_owned())?.unwrap_or_default();
    let seconds = |slowmode: Millis| (slowmode > 0).then(|| slowmode.div_ceil(1_000));
    Ok(json!({ "room": room, "topic": row.topic, "slowmode": seconds(row.slowmode), "locked": row.locked }))
}
