//! Deleting a room: all of its rows, then its task.

use futures_util::stream::StreamExt;
use palabre_store::{Direction, Result as StoreResult, Store};
use palabre_types::{Batch, EventKind, Room};

use super::state::State;
use crate::conversation::is_session;
use crate::feedback::rows::FEEDBACK;
use crate::history::{self, IDS, MESSAGES, NONCES, ROOMS};

/// Maximum number of messages, and of other rows of each kind, deleted in one commit.
const ROWS_PER_COMMIT_MAX: usize = 1_000;
/// The error for a request about a session or room that was deleted.
pub(super) const GONE: &str = "it was deleted, or never existed";

impl State {
    /// Whether the room is a session that was deleted. Nothing brings it back.
    pub(super) fn is_gone(&self) -> bool {
        self.created.is_none() && is_session(&self.room.name)
    }

    /// Deletes the room with its messages and their files. The task of the room ends afterwards.
    pub(super) async fn erase(&mut self) -> Result<(), String> {
        // Also after a failure: memory then has what the store has no longer.
        self.is_erased = true;
        while let Some(commit) = self.pending.next().await {
            self.committed(commit);
        }
        self.remove_people(|_| true);
        loop {
            let (store, name) = (self.cx.store.clone(), self.room.name.clone());
            let read = move || some_rows(&store, &name);
            let rows = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
            let rows = rows.map_err(|error| error.to_string())?;
            if rows.is_empty() {
                break;
            }
            self.cx.write("a room was deleted", rows).await.map_err(|error| error.to_string())?;
        }
        // Last, so that a deletion that was interrupted can be repeated.
        let mut rows = Batch::default();
        ROOMS.delete(&mut rows, &self.room.name);
        let kind = EventKind::RoomDelete { before: Some(Room::clone(&self.room)) };
        let receipt = self.commit_event(self.event_of(self.bot_user(), None, kind), rows);
        receipt.await.map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// Returns the deletion of some rows of a room; nothing if none are left.
fn some_rows(store: &Store, room: &str) -> StoreResult<Batch> {
    let (snapshot, room) = (store.snapshot(0)?, room.to_owned());
    let mut rows = Batch::default();
    for row in MESSAGES.scan(&snapshot, &room, Direction::Forward)?.take(ROWS_PER_COMMIT_MAX) {
        let ((_, position), message) = row?;
        history::remove(&mut rows, &room, position, &message);
    }
    for row in IDS.scan(&snapshot, &room, Direction::Forward)?.take(ROWS_PER_COMMIT_MAX) {
        IDS.delete(&mut rows, &row?.0);
    }
    for row in NONCES.scan(&snapshot, &room, Direction::Forward)?.take(ROWS_PER_COMMIT_MAX) {
        NONCES.delete(&mut rows, &row?.0);
    }
    for row in FEEDBACK.scan(&snapshot, &room, Direction::Forward)?.take(ROWS_PER_COMMIT_MAX) {
        FEEDBACK.delete(&mut rows, &row?.0);
    }
    Ok(rows)
}
