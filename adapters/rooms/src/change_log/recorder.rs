//! Numbers for changes, and the announcement of those that are durable.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_store::{Result as StoreResult, Store};
use palabre_types::{Batch, Millis};
use tokio::sync::watch;

use super::rows::{CHANGES, ChangeRow, Recorded, newest};

/// Time for which a change is kept, in milliseconds.
///
/// Changes are recorded for as long without a stream.
pub(crate) const CHANGE_LIFE: Millis = 86_400_000;
/// Number of bits for a count in the numbers of changes, below the time of the start.
///
/// A million changes have place in each millisecond.
const COUNT_BITS: u32 = 20;

/// The recorder of changes in all rooms.
#[derive(Debug)]
pub(crate) struct ChangeLog {
    numbers: Mutex<Numbers>,
    /// Increases when changes have become durable.
    durable: watch::Sender<u64>,
    /// Time at which a stream was last open.
    last_use: AtomicU64,
    /// Held while recording begins or ends, and while changes are deleted.
    pub(super) switching: tokio::sync::Mutex<()>,
}

/// The number of the last change. Locked until the rows of a change are handed over.
///
/// The order of numbers is then that of commits, so that no change becomes durable after one with a higher number.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    last: u64,
    is_recording: bool,
}

impl Default for ChangeLog {
    fn default() -> Self {
        Self {
            numbers: Mutex::default(),
            durable: watch::Sender::new(0),
            last_use: AtomicU64::new(0),
            switching: tokio::sync::Mutex::default(),
        }
    }
}

impl ChangeLog {
    /// Continues the log in the store. Numbers never repeat, not even those of changes that were not saved.
    pub(crate) fn load(&self, store: &Store, now: Millis) -> StoreResult<()> {
        let known = newest(&store.snapshot(0)?)?;
        let mut numbers = self.lock();
        let (last, is_recording) = known.unwrap_or_default();
        numbers.last = numbers.last.max(last).max(now << COUNT_BITS);
        numbers.is_recording = is_recording;
        self.last_use.store(now, Relaxed);
        Ok(())
    }

    /// Adds changes of a room to the rows that they are about, if changes are recorded.
    ///
    /// The caller hands the rows over before it drops the lock.
    pub(crate) fn record(
        &self,
        rows: &mut Batch,
        (room, time): (&str, Millis),
        changes: impl FnOnce() -> Vec<Recorded>,
    ) -> MutexGuard<'_, Numbers> {
        let mut numbers = self.lock();
        if numbers.is_recording {
            for change in changes() {
                numbers.add(rows, ChangeRow { room: room.to_owned(), time, change });
            }
        }
        numbers
    }

    /// Begins or ends recording, with a row that says so. The caller hands it over before it drops the lock.
    pub(super) fn switch(&self, rows: &mut Batch, is_recording: bool, time: Millis) -> MutexGuard<'_, Numbers> {
        let mut numbers = self.lock();
        let change = if is_recording { Recorded::Began } else { Recorded::Ended };
        numbers.is_recording = is_recording;
        numbers.add(rows, ChangeRow { room: String::new(), time, change });
        numbers
    }

    /// Stops recording after a beginning that could not be saved.
    pub(super) fn stop(&self) {
        self.lock().is_recording = false;
    }

    pub(super) fn is_recording(&self) -> bool {
        self.lock().is_recording
    }

    /// Announces that changes have become durable.
    pub(crate) fn announce(&self) {
        if self.durable.receiver_count() > 0 {
            self.durable.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// Returns a watch on which each announcement is seen. Recording goes on while there is one.
    pub(crate) fn follow(&self) -> watch::Receiver<u64> {
        self.durable.subscribe()
    }

    /// Records whether a stream is open. Returns whether there was none for a long time.
    pub(super) fn is_unused(&self, now: Millis) -> bool {
        if self.durable.receiver_count() > 0 {
            self.last_use.store(now, Relaxed);
        }
        self.last_use.load(Relaxed).saturating_add(CHANGE_LIFE) < now
    }

    pub(super) fn record_use(&self, now: Millis) {
        self.last_use.store(now, Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    fn add(&mut self, rows: &mut Batch, row: ChangeRow) {
        self.last += 1;
        CHANGES.put(rows, &self.last, &row);
    }
}
