//! Deleting everything of a room: its messages with their files, and its row.

use std::sync::Arc;

use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::Batch;
use tokio::sync::oneshot;

use crate::accounts::error::AccountError;
use crate::history::{self, IDS, MESSAGES, ROOMS};
use crate::room::command::Command;
use crate::service::Rooms;

/// Maximum number of messages deleted in one commit.
const ERASED_PER_COMMIT_MAX: usize = 1_000;

impl Rooms {
    /// Removes those from a room who may not enter it any more.
    pub(crate) async fn remove_strangers(&self, room: &str) {
        self.ask_room(room, Command::RemoveStrangers).await;
    }

    /// Deletes a room that nobody may enter any more. The memory of it is dropped first.
    pub(crate) async fn erase_room(self: &Arc<Self>, room: &str) -> Result<(), AccountError> {
        self.ask_room(room, Command::Close).await;
        loop {
            let asked = room.to_owned();
            let (rows, is_last) = self.read_store(move |snapshot| next_rows(snapshot, &asked)).await?;
            if !rows.is_empty() {
                self.write("deletion of a room's messages", rows).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Completes the deletions of rooms and accounts that a restart has interrupted.
    pub(crate) fn resume_deletions(self: &Arc<Self>) {
        let rooms = Arc::clone(self);
        self.spawn(async move {
            for room in rooms.authority.groups.deleted() {
                if let Err(error) = rooms.finish_deletion(&room).await {
                    tracing::warn!(room, "cannot complete the deletion of a room; the next start tries again: {error}");
                }
            }
            if let Err(error) = rooms.resume_account_deletions().await {
                tracing::warn!("cannot complete the deletion of an account; the next start tries again: {error}");
            }
        });
    }

    /// Sends a command to a room if it is open, and waits until it has been carried out.
    async fn ask_room(&self, room: &str, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let Some(open) = self.directory.get(room) else { return };
        let (answer, done) = oneshot::channel();
        if open.send(command(answer)).await.is_ok() {
            // A room that has ended meanwhile is empty.
            drop(done.await);
        }
    }
}

/// Returns the rows that delete the next messages of a room, and whether they are the last.
fn next_rows(snapshot: &Snapshot, room: &str) -> StoreResult<(Batch, bool)> {
    let mut rows = Batch::default();
    let mut count = 0;
    for row in MESSAGES.scan(snapshot, &room.to_owned(), Direction::Forward)? {
        if count == ERASED_PER_COMMIT_MAX {
            return Ok((rows, false));
        }
        let ((_, position), row) = row?;
        history::remove(&mut rows, room, position, &row);
        count += 1;
    }
    // The ids of messages outlive them.
    for row in IDS.scan(snapshot, &room.to_owned(), Direction::Forward)? {
        if count >= ERASED_PER_COMMIT_MAX {
            return Ok((rows, false));
        }
        IDS.delete(&mut rows, &row?.0);
        count += 1;
    }
    ROOMS.delete(&mut rows, &room.to_owned());
    Ok((rows, true))
}
