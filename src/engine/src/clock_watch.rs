//! Watches the clock for steps, while the engine runs and over its restarts.

use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use palabre_platform::Clock;
use palabre_state::{CLOCK, ClockRow, JOURNAL, WentBack, is_step, unpacked};
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Batch, Millis};

use crate::message::CoreMessage;

/// Interval between two readings of the clock, in milliseconds.
const READING_INTERVAL: Millis = 1_000;
/// Key of the only row of the table.
const ROW_KEY: &str = "clock";

/// Reads the state of the clock.
pub(crate) fn read(snapshot: &Snapshot) -> Result<ClockRow> {
    Ok(CLOCK.get(snapshot, &ROW_KEY.to_owned())?.unwrap_or_default())
}

/// Writes the state of the clock.
pub(crate) fn put(row: &ClockRow, batch: &mut Batch) {
    CLOCK.put(batch, &ROW_KEY.to_owned(), row);
}

/// Reads the state of the previous process, and detects whether the clock has gone back since.
pub(crate) fn resume(snapshot: &Snapshot, now: Millis) -> Result<(ClockRow, Option<WentBack>)> {
    let newest = JOURNAL.scan(snapshot, &Vec::new(), Direction::Backward)?.map(unpacked).next().transpose()?;
    let newest = newest.map(|(number, block)| (number, block.at));
    Ok(read(snapshot)?.resume(newest, now))
}

/// The latest reading of the clock, shared by all who read it.
///
/// The sequencer reads it for each batch, and [`watch`] while nothing happens, so that no time is
/// recorded before a step of the clock is noticed.
#[derive(Debug)]
pub(crate) struct LatestReading(Mutex<Millis>);

impl LatestReading {
    pub(crate) fn new(now: Millis) -> Self {
        Self(Mutex::new(now))
    }

    /// Reads the clock. Returns the time, and the previous reading if the clock was stepped since.
    pub(crate) fn read(&self, clock: &dyn Clock) -> (Millis, Option<Millis>) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that readings are compared in the order in which they were made.
        let now = clock.now();
        let before = std::mem::replace(&mut *latest, now);
        (now, is_step(before, now).then_some(before))
    }
}

/// Reads the clock regularly and reports large steps to the sequencer. Runs until it is aborted.
pub(crate) async fn watch(clock: Arc<dyn Clock>, latest: Arc<LatestReading>, core: Sender<CoreMessage>) {
    loop {
        let (now, before) = latest.read(&*clock);
        if let Some(before) = before {
            // The sequencer ends only at shutdown.
            drop(core.send(CoreMessage::Clock { before, now }));
        }
        clock.sleep_until(now.saturating_add(READING_INTERVAL)).await;
    }
}
