//! What a script has done in the present minute, and what its waiting runs keep: counted for all its versions, since a script can
//! bring it about that its VM is replaced.

use std::cell::Cell;
use std::rc::Rc;

use palabre_model::Millis;

use crate::kept::Kept;

/// The counts of one script. Its clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    pub(crate) actions: Meter,
    pub(crate) log: Meter,
    pub(crate) requests: Meter,
    pub(crate) timers: Meter,
    pub(crate) written: Meter,
    pub(crate) waits: Meter,
    pub(crate) cpu: Meter,
    pub(crate) kept: Kept,
}

/// Counts what happens within the present minute. Its clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter(Rc<Cell<(Millis, u32)>>);

impl Meter {
    /// One more; false when that is over `limit`.
    pub(crate) fn count(&self, now: Millis, limit: u32) -> bool {
        self.add(now, 1) <= limit
    }

    /// So many more; how many that makes in this minute.
    pub(crate) fn add(&self, now: Millis, more: u32) -> u32 {
        let minute = now / 60_000;
        let (counted, count) = self.0.get();
        let before = if counted == minute { count } else { 0 };
        let count = before.saturating_add(more);
        self.0.set((minute, count));
        count
    }
}
