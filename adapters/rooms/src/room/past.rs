//! What a room remembers: from memory where it is there, from the store where it is not.

use std::sync::Arc;

use palabre_model::Millis;
use palabre_store::{Result, Store};

use super::{SHOWN, State};
use crate::history::{self, IDS, MESSAGES, MessageRow, ROOMS, RoomRow};

/// What somebody who comes back gets at most of what they missed.
const CATCH_UP: usize = 5_000;

/// What the store has of a room that is being opened.
pub(super) struct Past {
    pub(super) row: Option<RoomRow>,
    pub(super) recent: Vec<(u64, MessageRow)>,
    pub(super) pinned: Vec<u64>,
}

pub(super) fn read(store: &Store, name: &str, now: Millis) -> Result<Past> {
    let snapshot = store.snapshot(now)?;
    let row = ROOMS.get(&snapshot, &name.to_owned())?;
    let mut pinned = Vec::new();
    for position in row.iter().flat_map(|row| &row.pinned) {
        // The sweep may have removed it meanwhile.
        if MESSAGES.get(&snapshot, &(name.to_owned(), *position))?.is_some() {
            pinned.push(*position);
        }
    }
    Ok(Past { row, recent: history::last(&snapshot, name, SHOWN)?, pinned })
}

impl State {
    /// The messages that everybody has been shown.
    pub(super) fn shown(&self) -> Vec<Arc<MessageRow>> {
        let shown = self.recent.iter().filter(|(position, _)| *position < self.shown_before);
        let count = shown.clone().count();
        shown.skip(count.saturating_sub(SHOWN)).map(|(_, row)| Arc::clone(row)).collect()
    }

    /// What came after the message `id`; `None` when its place is not known or something before it has changed.
    pub(super) async fn missed(&mut self, id: &str) -> Option<Vec<Arc<MessageRow>>> {
        let (store, name, shown_before) = (self.around.store.clone(), self.room.name.clone(), self.shown_before);
        let (id, changed_at) = (id.to_owned(), self.changed_at);
        let read = move || -> Result<_> {
            let snapshot = store.snapshot(0)?;
            let Some(position) = IDS.get(&snapshot, &(name.clone(), id))? else { return Ok(None) };
            if position + 1 < changed_at {
                return Ok(None);
            }
            let rows = history::after(&snapshot, &name, position, CATCH_UP + 1)?;
            Ok((rows.len() <= CATCH_UP).then_some(rows))
        };
        let rows = tokio::task::spawn_blocking(read).await.ok()?.ok()??;
        Some(rows.into_iter().filter(|(position, _)| *position < shown_before).map(|(_, row)| Arc::new(row)).collect())
    }

    /// A message of this room as it is now, or is about to be.
    pub(super) async fn find(&mut self, id: &str) -> Option<(u64, Arc<MessageRow>)> {
        if let Some(found) = self.recent.iter().rev().find(|(_, row)| row.id == id) {
            return Some(found.clone());
        }
        let (store, name, id) = (self.around.store.clone(), self.room.name.clone(), id.to_owned());
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

    /// What the sweep has removed is forgotten.
    pub(super) fn forget(&mut self, up_to: u64) {
        self.recent.retain(|(position, _)| *position > up_to);
        self.pinned.retain(|position| *position > up_to);
    }
}
