//! The names of all rooms: those that differ only in case, or look alike, mean the same room.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use palabre_store::{Direction, Result, Store};
use palabre_text::skeleton;

use crate::conversation::is_hidden;
use crate::history::ROOMS;

/// The name of each room, by its skeleton. Private conversations and sessions are not among them.
#[derive(Debug, Default)]
pub(crate) struct RoomNames(RwLock<HashMap<String, Arc<str>>>);

impl RoomNames {
    /// Returns the name under which a room is known, or the given one if it is new.
    pub(crate) fn known(&self, name: &str) -> String {
        if is_hidden(name) {
            return name.to_owned();
        }
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(&skeleton(name)).map_or_else(|| name.to_owned(), |known| known.to_string())
    }

    /// Adds a name, unless one that looks like it is known.
    pub(crate) fn add(&self, name: &str) {
        if !is_hidden(name) {
            let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
            names.entry(skeleton(name)).or_insert_with(|| name.into());
        }
    }

    /// Makes a name that of its room: a room that only looked like it is gone.
    pub(crate) fn replace(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(skeleton(name), name.into());
    }

    /// Replaces the names by those of the stored rooms, and of others that are in use.
    ///
    /// Of stored rooms whose names look alike, from before they meant the same, the first one counts.
    pub(crate) fn load(&self, store: &Store, in_use: impl FnOnce() -> Vec<String>) -> Result<()> {
        let snapshot = store.snapshot(0)?;
        let mut stored = HashMap::new();
        for row in ROOMS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (name, _) = row?;
            if !is_hidden(&name) {
                stored.entry(skeleton(&name)).or_insert_with(|| name.into());
            }
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: a room that was opened since the scan is among them.
        for name in in_use() {
            if !is_hidden(&name) {
                stored.entry(skeleton(&name)).or_insert_with(|| name.into());
            }
        }
        *names = stored;
        Ok(())
    }
}
