//! All outgoing webhooks, in memory, each with a signal that ends its deliveries.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_store::{Direction, Result as StoreResult, Store};
use tokio::sync::watch;

use super::rows::{OUTGOING, OutgoingRow};

/// The outgoing webhooks by id. Memory has what the store has.
#[derive(Debug, Default)]
pub(crate) struct OutgoingWebhooks(Mutex<HashMap<String, Known>>);

#[derive(Debug)]
struct Known {
    row: OutgoingRow,
    /// Dropped with the webhook, which its deliveries see.
    _alive: watch::Sender<()>,
}

/// A webhook whose deliveries are to begin.
pub(crate) struct Added {
    pub(crate) id: String,
    pub(crate) row: OutgoingRow,
    /// Closed when the webhook is removed.
    pub(crate) removed: watch::Receiver<()>,
}

impl OutgoingWebhooks {
    /// Reads all of them from the store. Returns those that were not known.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<Vec<Added>> {
        let snapshot = store.snapshot(0)?;
        let mut added = Vec::new();
        for row in OUTGOING.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (id, row) = row?;
            if !self.lock().contains_key(&id) {
                added.push(self.add(id, row));
            }
        }
        Ok(added)
    }

    pub(super) fn add(&self, id: String, row: OutgoingRow) -> Added {
        let (alive, removed) = watch::channel(());
        self.lock().insert(id.clone(), Known { row: row.clone(), _alive: alive });
        Added { id, row, removed }
    }

    /// Returns the webhooks of a room with their ids, oldest first.
    pub(crate) fn of_room(&self, room: &str) -> Vec<(String, OutgoingRow)> {
        let known = self.lock();
        let of_room = known.iter().filter(|(_, known)| known.row.room == room);
        let mut found: Vec<_> = of_room.map(|(id, known)| (id.clone(), known.row.clone())).collect();
        found.sort_by(|(one, first), (other, second)| (first.created, one).cmp(&(second.created, other)));
        found
    }

    /// Removes a webhook, and ends its deliveries.
    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
