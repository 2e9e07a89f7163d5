//! Loading a room, and looking up its messages in memory and in the store.

use std::sync::Arc;

use palabre_model::Millis;
use palabre_store::{Result, Store};

use super::{RECENT_MESSAGES, State};
use crate::history::{self, IDS, MESSAGES, MessageRow, ROOMS, RoomRow};

/// The stored part of a room that is being opened.
pub(super) struct Past {
    pub(super) row: Option<RoomRow>,
    pub(super) recent: Vec<(u64, MessageRow)>,
    pub(super) pinned: Vec<(u64, MessageRow)>,
}

pub(super) fn read(store: &Store, name: &str, now: Millis) -> Result<Past> {
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

impl State {
    /// Returns a message of this room, with changes that are in flight.
    pub(super) async fn find(&mut self, id: &str) -> Option<(u64, Arc<MessageRow>)> {
        if let Some(found) = self.recent.iter().rev().find(|(_, row)| row.id == id) {
            return Some(found.clone());
        }
        let (store, name, id) = (self.cx.store.clone(), self.room.name.clone(), id.to_owned());
        let read = move || -> Result<_> {
            let snapshot = store.snapshot(0)?;
            let Some(position) = IDS.get(&snapshot, &(name.clone(), id))? else { return Ok(None) };
            Ok(MESSAGES.get(&snapshot, &(name, position))?.map(|row| (position, Arc::new(row))))
        };
        let (position, row) = tokio::task::spawn_blocking(read).await.ok()?.ok()??;
        match self.in_flight.message(position) {
            Some(changed) => changed.map(|row| (position, row)),
            None => Some((position, row)),
        }
    }

    /// Forgets the messages that the sweep has deleted.
    pub(super) fn forget(&mut self, up_to: u64) {
        self.recent.retain(|(position, _)| *position > up_to);
        self.pinned.retain(|(position, _)| *position > up_to);
    }
}
