//! Counters of the commits since the store was opened.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counters since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Durable transactions.
    pub groups: u64,
    /// Batches in these transactions.
    pub batches: u64,
}

/// The counters that the writer updates and all handles of the store read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    groups: AtomicU64,
    batches: AtomicU64,
    /// The start of the commit in progress.
    writing_since: Mutex<Option<Instant>>,
}

impl Counters {
    /// Sets whether a commit is in progress from now on.
    pub(crate) fn set_writing(&self, is_writing: bool) {
        let since = is_writing.then(Instant::now);
        *self.writing_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Counts a durable transaction of this many batches.
    pub(crate) fn record_group(&self, batches: usize) {
        self.groups.fetch_add(1, Relaxed);
        self.batches.fetch_add(batches as u64, Relaxed);
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats { groups: self.groups.load(Relaxed), batches: self.batches.load(Relaxed) }
    }

    /// Returns how long the commit in progress has taken so far; `None` if there is none.
    pub(crate) fn commit_duration(&self) -> Option<Duration> {
        let since = *self.writing_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed())
    }
}
