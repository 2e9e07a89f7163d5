//! Applying changes of the store to the index.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use palabre_store::{Direction, Snapshot, Store};

use super::feed::{Changes, RoomChanges};
use super::index::SearchIndex;
use super::index_error::IndexError;
use super::progress::{Progress, next_room};
use crate::history::MESSAGES;

/// Maximum number of messages read in one snapshot: an old snapshot keeps space in the store from being reused.
const ROWS_PER_SNAPSHOT_MAX: usize = 2_000;
/// Number of changes after which they are committed, so that a long comparison continues there after a restart.
const CHANGES_PER_COMMIT: usize = 50_000;

/// The store that the index follows, until the service stops.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) store: Store,
    pub(crate) is_stopped: Arc<AtomicBool>,
}

impl Source {
    fn snapshot(&self) -> Result<Snapshot, IndexError> {
        if self.is_stopped.load(Relaxed) {
            return Err(IndexError::Stopped);
        }
        Ok(self.store.snapshot(0)?)
    }
}

impl SearchIndex {
    /// Compares all rooms with the store, and applies what the index has missed.
    pub(crate) fn catch_up(&mut self, source: &Source) -> Result<(), IndexError> {
        let mut stored = HashSet::new();
        let mut last: Option<String> = None;
        loop {
            let snapshot = source.snapshot()?;
            let Some(room) = next_room(&snapshot, last.as_deref())? else { break };
            let now = Progress::of_store(&snapshot, &room)?;
            let known = self.progress(&room);
            drop(snapshot);
            if known != now {
                let is_unknown = known.zip(now).is_some_and(|(known, now)| known.has_missed_changes(&now));
                self.apply_to_room(source, &room, &RoomChanges { is_unknown, ..RoomChanges::default() })?;
            }
            stored.insert(room.clone());
            last = Some(room);
        }
        let gone: Vec<String> = self.rooms().filter(|room| !stored.contains(*room)).cloned().collect();
        for room in gone {
            self.apply_to_room(source, &room, &RoomChanges::default())?;
        }
        self.commit_changes()
    }

    /// Applies and commits changes.
    pub(crate) fn apply(&mut self, source: &Source, changes: &Changes) -> Result<(), IndexError> {
        if changes.is_unknown {
            return self.catch_up(source);
        }
        for (room, changes) in &changes.rooms {
            self.apply_to_room(source, room, changes)?;
        }
        self.commit_changes()
    }

    /// Applies the changes of a room, and indexes its new messages.
    fn apply_to_room(&mut self, source: &Source, room: &str, changes: &RoomChanges) -> Result<(), IndexError> {
        let mut is_complete = self.apply_part(&source.snapshot()?, room, changes)?;
        while !is_complete {
            is_complete = self.apply_part(&source.snapshot()?, room, &RoomChanges::default())?;
            if self.uncommitted() >= CHANGES_PER_COMMIT {
                self.commit_changes()?;
            }
        }
        Ok(())
    }

    /// Applies changes, and indexes as many new messages as one snapshot is for. Returns whether those are all.
    fn apply_part(&mut self, snapshot: &Snapshot, room: &str, changes: &RoomChanges) -> Result<bool, IndexError> {
        let Some(now) = Progress::of_store(snapshot, room)? else {
            self.forget(room)?;
            return Ok(true);
        };
        let known = self.progress(room).filter(|known| known.is_continued(&now, changes));
        let mut progress = match known {
            Some(known) => {
                for position in known.changed(&now, changes) {
                    self.replace(snapshot, room, position)?;
                }
                // A change may be in the snapshot and not in `changes` yet, which then follows.
                let last = changes.numbers.map_or(known.changes, |(_, last)| last.max(known.changes));
                Progress { changes: last, next: known.next, ..now }
            }
            None => {
                self.forget(room)?;
                Progress { next: 0, ..now }
            }
        };
        let is_complete = self.add_new(snapshot, room, &mut progress)?;
        if is_complete {
            // Lower than before, if the newest messages were deleted.
            progress.next = now.next;
        }
        self.set_progress(room, progress);
        Ok(is_complete)
    }

    /// Replaces a message by its current version, or removes it if it is not there any more.
    fn replace(&mut self, snapshot: &Snapshot, room: &str, position: u64) -> Result<(), IndexError> {
        self.remove(room, position)?;
        match MESSAGES.get(snapshot, &(room.to_owned(), position))? {
            Some(row) => self.add(room, position, &row),
            None => Ok(()),
        }
    }

    /// Adds the messages from `progress.next` on, and moves it. Returns whether those are all.
    fn add_new(&mut self, snapshot: &Snapshot, room: &str, progress: &mut Progress) -> Result<bool, IndexError> {
        // Positions begin with 1.
        let from = (room.to_owned(), progress.next.saturating_sub(1));
        let rows = MESSAGES.scan_after(snapshot, &from.0, &from, Direction::Forward)?;
        for (count, row) in rows.enumerate() {
            let ((_, position), row) = row?;
            if count == ROWS_PER_SNAPSHOT_MAX {
                return Ok(false);
            }
            self.add(room, position, &row)?;
            progress.next = position + 1;
        }
        Ok(true)
    }
}
