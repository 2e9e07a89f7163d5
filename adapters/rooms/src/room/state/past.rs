//! The stored part of a room, read when the room is opened.

use palabre_store::{Result, Store};
use palabre_types::Millis;

use crate::history::{self, MESSAGES, MessageRow, ROOMS, RoomRow};

/// Number of recent messages that a joining client receives, and that are kept in memory.
pub(crate) const RECENT_MESSAGES: usize = 100;

/// The stored part of a room that is being opened.
pub(crate) struct Past {
    pub(crate) row: Option<RoomRow>,
    pub(crate) recent: Vec<(u64, MessageRow)>,
    pub(crate) pinned: Vec<(u64, MessageRow)>,
}

/// Reads the room `name`, with its newest and its pinned messages.
pub(crate) fn read(store: &Store, name: &str, now: Millis) -> Result<Past> {
    let snapshot = store.snapshot(now)?;
    let row = ROOMS.get(&snapshot, &name.to_owned())?;
    let mut pinned = Vec::new();
    for position in row.iter().flat_map(|row| &row.pinned) {
        // The sweep may have deleted it in the meantime.
        if let Some(row) = MESSAGES.get(&snapshot, &(name.to_owned(), *position))? {
            pinned.push((*position, row));
        }
    }
    Ok(Past { row, recent: history::last(&snapshot, name, RECENT_MESSAGES)?, pinned })
}
