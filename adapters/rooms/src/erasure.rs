//! Removing people from rooms, and deleting rooms with everything in them.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::accounts::error::AccountError;
use crate::room::command::Command;
use crate::service::Rooms;

impl Rooms {
    /// Removes those from a room who may not enter it any more.
    pub(crate) async fn remove_strangers(&self, room: &str) {
        let Some(open) = self.directory.open(room) else { return };
        let (answer, done) = oneshot::channel();
        if open.send(Command::RemoveStrangers(answer)).await.is_ok() {
            // A room that has ended meanwhile is empty.
            drop(done.await);
        }
    }

    /// Deletes a room with everything in it. Returns when that is durable.
    pub(crate) async fn erase_room(&self, room: &str) -> Result<(), AccountError> {
        let busy = || AccountError::Unavailable("the room is busy; try again in a moment".to_owned());
        let open = self.open_room(room).map_err(AccountError::Unavailable)?;
        let (answer, erased) = oneshot::channel();
        open.send(Command::Erase(answer)).await.map_err(|_closed| busy())?;
        erased.await.map_err(|_closed| busy())?.map_err(AccountError::Unavailable)
    }

    /// Completes the deletions of rooms and accounts that a restart has interrupted.
    pub(crate) fn resume_deletions(self: &Arc<Self>) {
        let rooms = Arc::clone(self);
        self.spawn(async move {
            for room in rooms.authority.groups.deleted() {
                rooms.erase_group(&room).await;
            }
            if let Err(error) = rooms.resume_account_deletions().await {
                tracing::warn!("cannot read the accounts that are being deleted; the next start tries on: {error}");
            }
        });
    }
}
