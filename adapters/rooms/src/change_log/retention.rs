//! The beginning and the end of recording, and the deletion of old changes.

use palabre_platform::EmitError;
use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::{Batch, Millis, TableId};

use super::recorder::CHANGE_LIFE;
use super::rows::CHANGES;
use crate::accounts::error::AccountError;
use crate::service::Rooms;

/// Maximum number of changes that are kept.
const CHANGES_MAX: u64 = 100_000;
/// Maximum number of changes deleted in one commit.
const DELETED_PER_COMMIT_MAX: u64 = 5_000;

impl Rooms {
    /// Begins to record changes, unless they are recorded already. Returns when that is durable.
    pub(crate) async fn begin_recording(&self) -> Result<(), AccountError> {
        let (log, now) = (&self.change_log, self.clock.now());
        log.record_use(now);
        let _one = log.switching.lock().await;
        if log.is_recording() {
            return Ok(());
        }
        // Otherwise a stream could be resumed over the time in which nothing was recorded.
        self.delete_changes(false, now).await?;
        self.switch_recording(true, now).await.inspect_err(|_| log.stop())?;
        Ok(())
    }

    /// Deletes old changes, and all of them when there was no stream for a day.
    pub(crate) async fn prune_changes(&self, now: Millis) -> Result<(), AccountError> {
        let log = &self.change_log;
        let _one = log.switching.lock().await;
        if log.is_recording() && log.is_unused(now) {
            self.switch_recording(false, now).await?;
        }
        self.delete_changes(log.is_recording(), now).await
    }

    async fn switch_recording(&self, is_recording: bool, now: Millis) -> Result<(), EmitError> {
        let context = self.context.borrow().clone().ok_or(EmitError::Stopped)?;
        let receipt = {
            let mut rows = Batch::default();
            let _order = self.change_log.switch(&mut rows, is_recording, now);
            context.sink.write(&context.bot.name, "recording of changes for streams", rows)
        };
        receipt.await.map(drop)
    }

    /// Deletes old changes, or all of them if none are recorded.
    async fn delete_changes(&self, is_recording: bool, now: Millis) -> Result<(), AccountError> {
        loop {
            let rows = self.read_store(move |snapshot| surplus(snapshot, is_recording, now)).await?;
            if rows.ops.is_empty() {
                return Ok(());
            }
            self.write("changes that no stream shows any more", rows).await?;
        }
    }
}

/// Returns the deletion of some old changes. The newest one stays while changes are recorded.
fn surplus(snapshot: &Snapshot, is_recording: bool, now: Millis) -> StoreResult<Batch> {
    let count = snapshot.len(TableId::RoomChanges)?;
    let (deletable, mut too_many) =
        if is_recording { (count.saturating_sub(1), count.saturating_sub(CHANGES_MAX)) } else { (count, count) };
    let oldest_kept = now.saturating_sub(CHANGE_LIFE);
    let mut rows = Batch::default();
    let scanned = usize::try_from(deletable.min(DELETED_PER_COMMIT_MAX)).unwrap_or(usize::MAX);
    for row in CHANGES.scan(snapshot, &Vec::new(), Direction::Forward)?.take(scanned) {
        let (number, row) = row?;
        if too_many == 0 && row.time >= oldest_kept {
            break;
        }
        too_many = too_many.saturating_sub(1);
        CHANGES.delete(&mut rows, &number);
    }
    Ok(rows)
}
