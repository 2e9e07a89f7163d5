//! The number and size of pending timers, which workers read to enforce limits.

use std::collections::HashMap;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, PoisonError};

use palabre_state::Timers;
use palabre_types::ScriptName;

/// The number and size of one script's pending timers, read by the worker that it runs on.
#[derive(Debug, Default)]
pub struct TimerUsage {
    count: AtomicUsize,
    bytes: AtomicU64,
}

impl TimerUsage {
    /// Returns the number of timers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count.load(Acquire)
    }

    /// Returns their size with their payloads, in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Acquire)
    }
}

/// The usage of every script, including scripts that are added later.
#[derive(Clone, Default)]
pub struct TimerUsages(Arc<Mutex<HashMap<ScriptName, Arc<TimerUsage>>>>);

impl TimerUsages {
    /// Returns the usage of a script, which its instance reads.
    #[must_use]
    pub fn of(&self, script: &ScriptName) -> Arc<TimerUsage> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(script.clone()).or_default())
    }

    /// Publishes the usage of a script.
    pub fn publish(&self, script: &ScriptName, timers: &Timers) {
        let (usage, (count, bytes)) = (self.of(script), timers.usage(script));
        usage.count.store(count, Release);
        usage.bytes.store(bytes, Release);
    }
}
