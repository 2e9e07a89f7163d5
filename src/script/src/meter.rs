//! Usage of a script in the current minute, and memory of its waiting runs.
//!
//! They are counted across all versions of a script, because a script can cause its VM to be replaced.

use std::cell::Cell;
use std::rc::Rc;

use palabre_types::Millis;

use crate::waiting_memory::WaitingMemory;

/// The counters of one script. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    pub(crate) actions: Meter,
    pub(crate) log: Meter,
    pub(crate) requests: Meter,
    pub(crate) timers: Meter,
    pub(crate) written: Meter,
    pub(crate) waits: Meter,
    pub(crate) cpu: Meter,
    pub(crate) waiting_memory: WaitingMemory,
}

/// A counter for the current minute. Clones share their count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Rc<Cell<(Millis, u32)>>);

impl Meter {
    /// Counts one; returns false if that exceeds `limit`.
    pub(crate) fn count(&self, now: Millis, limit: u32) -> bool {
        self.add(now, 1) <= limit
    }

    /// Adds to the count and returns the total of the minute.
    pub(crate) fn add(&self, now: Millis, more: u32) -> u32 {
        let minute = now / 60_000;
        let (counted, count) = self.0.get();
        let before = if counted == minute { count } else { 0 };
        let count = before.saturating_add(more);
        self.0.set((minute, count));
        count
    }
}
