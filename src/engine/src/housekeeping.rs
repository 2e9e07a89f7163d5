//! Forwards due work to the sequencer, and removes expired rows, old entry batches and old versions.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Acquire, Release},
};
use std::time::Duration;

use crossbeam_channel::Sender;
use palabre_platform::{EmitError, Shutdown, TrackedTasks};
use palabre_state::{JOURNAL, unpacked};
use palabre_store::{Direction, Error, Store};
use palabre_types::{Batch, Millis};

use crate::clock_watch;
use crate::context::{RowsError, write_rows};
use crate::message::CoreMessage;
use crate::scheduler::{Due, Scheduler};

/// Interval of housekeeping, in milliseconds.
pub(crate) const HOUSEKEEPING_INTERVAL: Millis = 60_000;
/// Entry batches that one step removes: few, so that commits after it hardly wait.
const BATCHES_PER_STEP: usize = 500;

/// Removes expired rows and old entry batches, in small steps, until none is left.
pub(crate) struct Cleaner {
    pub(crate) store: Store,
    /// The channel to the sequencer.
    pub(crate) core: Sender<CoreMessage>,
    /// The low-water mark: the oldest entry batch with something unfinished.
    pub(crate) low_water_mark: Arc<AtomicU64>,
    pub(crate) retention: Duration,
    pub(crate) shutdown: Shutdown,
    pub(crate) background: TrackedTasks,
}

/// Returns the scheduler's callback: forwards due work, and starts the cleaner when it is time.
pub(crate) fn waker(core: Sender<CoreMessage>, scheduler: Scheduler, cleaner: Cleaner) -> impl Fn(Due, Millis) + Send {
    let (cleaner, is_busy) = (Arc::new(cleaner), Arc::new(AtomicBool::new(false)));
    move |due, time| {
        let is_housekeeping = due == Due::Housekeeping;
        drop(core.send(CoreMessage::Due(due, time)));
        if !is_housekeeping {
            return;
        }
        scheduler.at(time + HOUSEKEEPING_INTERVAL, Due::Housekeeping);
        if is_busy.swap(true, AcqRel) {
            return;
        }
        let (worker, is_busy) = (Arc::clone(&cleaner), Arc::clone(&is_busy));
        let clean = move || {
            match worker.clean(time) {
                Ok(()) | Err(RowsError::Store(Error::Closed) | RowsError::Write(EmitError::Stopped)) => {}
                Err(error) => tracing::warn!("housekeeping is interrupted until the next minute: {error}"),
            }
            is_busy.store(false, Release);
        };
        cleaner.background.spawn_blocking(clean);
    }
}

impl Cleaner {
    fn write(&self, reason: &'static str, rows: Batch) -> Result<(), EmitError> {
        write_rows(&self.core, "housekeeping", reason, rows).wait().map(drop)
    }

    fn clean(&self, now: Millis) -> Result<(), RowsError> {
        while !self.shutdown.is_requested() {
            let expired = self.store.expired(now)?;
            if expired.is_empty() {
                break;
            }
            // Other writes come between two steps.
            self.write("expired rows", expired)?;
        }
        while !self.shutdown.is_requested() && self.trim_journal(now)? {}
        self.report_oldest()
    }

    /// Removes some entry batches that nothing needs and that are older than the retention.
    ///
    /// Returns whether there may be more. The newest batch always stays: the next start takes its
    /// numbers from it.
    fn trim_journal(&self, now: Millis) -> Result<bool, RowsError> {
        let before = now.saturating_sub(u64::try_from(self.retention.as_millis()).unwrap_or(Millis::MAX));
        let snapshot = self.store.snapshot(0)?;
        let Some(newest) = JOURNAL.scan(&snapshot, &Vec::new(), Direction::Backward)?.next() else { return Ok(false) };
        let keep_from = newest?.0.min(self.low_water_mark.load(Acquire));
        let clock = clock_watch::read(&snapshot)?;
        let mut batch = Batch::default();
        for row in JOURNAL.scan(&snapshot, &Vec::new(), Direction::Forward)?.take(BATCHES_PER_STEP) {
            let (number, block) = unpacked(row)?;
            if number >= keep_from || clock.true_time(number, block.at) >= before {
                break;
            }
            JOURNAL.delete(&mut batch, &number);
        }
        let is_full = batch.ops.len() == BATCHES_PER_STEP;
        if !batch.is_empty() {
            self.write("entry batches past their retention", batch)?;
        }
        Ok(is_full)
    }

    /// Tells the sequencer where the journal begins: it removes the versions that only older batches
    /// mention.
    fn report_oldest(&self) -> Result<(), RowsError> {
        let snapshot = self.store.snapshot(0)?;
        let oldest = JOURNAL.scan(&snapshot, &Vec::new(), Direction::Forward)?.next().transpose()?;
        if let Some((oldest, _)) = oldest {
            // The sequencer ends only at shutdown.
            drop(self.core.send(CoreMessage::JournalBegins(oldest)));
        }
        Ok(())
    }
}
