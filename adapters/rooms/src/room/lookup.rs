//! Messages of the room by id, in memory and in the store.

use std::sync::Arc;

use palabre_store::Result;

use super::state::State;
use crate::history::{IDS, MESSAGES, MessageRow};

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
        // Pinned messages stay.
        self.recent.retain(|(position, row)| *position > up_to || row.pinned);
    }
}
