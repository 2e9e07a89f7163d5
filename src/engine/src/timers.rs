//! The pending timers, in memory as in the store.

use std::collections::HashMap;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, PoisonError};

use palabre_script::TimerChange;
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::Batch;
use palabre_types::{Millis, ScriptName};

use crate::clock_steps::WentBack;
use crate::rows::TimerRow;
use crate::scheduler::{Due, Scheduler};
use crate::tables::TIMERS;

/// The number and size of one script's pending timers, read by the worker that it runs on.
#[derive(Debug, Default)]
pub(crate) struct TimerUsage {
    count: AtomicUsize,
    bytes: AtomicU64,
}

impl TimerUsage {
    pub(crate) fn count(&self) -> usize {
        self.count.load(Acquire)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Acquire)
    }
}

/// The usage of every script, including scripts that are added later.
#[derive(Clone, Default)]
pub(crate) struct TimerUsages(Arc<Mutex<HashMap<ScriptName, Arc<TimerUsage>>>>);

impl TimerUsages {
    pub(crate) fn of(&self, script: &ScriptName) -> Arc<TimerUsage> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(script.clone()).or_default())
    }
}

/// The timers of one script, by key.
struct ScriptTimers {
    waiting: HashMap<String, (Millis, TimerRow)>,
    bytes: u64,
    usage: Arc<TimerUsage>,
}

impl ScriptTimers {
    fn insert(&mut self, key: String, due: Millis, row: TimerRow) {
        self.bytes += weight(&key, &row);
        self.waiting.insert(key, (due, row));
        self.publish();
    }

    fn remove(&mut self, key: &str) -> Option<(Millis, TimerRow)> {
        let (due, row) = self.waiting.remove(key)?;
        self.bytes = self.bytes.saturating_sub(weight(key, &row));
        self.publish();
        Some((due, row))
    }

    fn publish(&self) {
        self.usage.count.store(self.waiting.len(), Release);
        self.usage.bytes.store(self.bytes, Release);
    }
}

fn weight(key: &str, row: &TimerRow) -> u64 {
    TimerChange::weight_of(&row.name, key, &row.payload) as u64
}

/// All timers of all scripts.
pub(crate) struct TimerBook {
    timers: HashMap<ScriptName, ScriptTimers>,
    usages: TimerUsages,
    scheduler: Scheduler,
}

impl TimerBook {
    /// Reads the timers from the store, counts their usage, and requests a wake-up for each.
    pub(crate) fn load(snapshot: &Snapshot, scheduler: Scheduler) -> Result<Self> {
        let mut book = Self { timers: HashMap::new(), usages: TimerUsages::default(), scheduler };
        for row in TIMERS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let ((due, script, key), row) = row?;
            let script = ScriptName::from(script);
            book.scheduler.at(due, Due::Timer { script: script.clone(), key: key.clone() });
            book.of(&script).insert(key, due, row);
        }
        Ok(book)
    }

    /// Returns the usage of every script, which is kept up to date.
    pub(crate) fn usages(&self) -> TimerUsages {
        self.usages.clone()
    }

    /// Sets or cancels a timer at `now`, in memory and in `batch`.
    pub(crate) fn apply(&mut self, script: &ScriptName, change: &TimerChange, now: Millis, batch: &mut Batch) {
        match change {
            TimerChange::Set { name, key, due, room, payload } => {
                let (name, room, payload) = (name.clone(), room.clone(), payload.clone());
                let row = TimerRow { name, room, payload, set: Some(now) };
                self.remove(script, key, batch);
                TIMERS.put(batch, &(*due, script.to_string(), key.clone()), &row);
                self.scheduler.at(*due, Due::Timer { script: script.clone(), key: key.clone() });
                self.of(script).insert(key.clone(), *due, row);
            }
            TimerChange::Cancel { key } => {
                self.remove(script, key, batch);
                self.scheduler.cancel(Due::Timer { script: script.clone(), key: key.clone() });
            }
        }
    }

    /// Requests wake-ups again for timers that were due before their script was ready.
    pub(crate) fn wake(&self, script: &ScriptName, now: Millis) {
        for (key, (due, _)) in self.timers.get(script).into_iter().flat_map(|timers| &timers.waiting) {
            if *due <= now {
                self.scheduler.at(*due, Due::Timer { script: script.clone(), key: key.clone() });
            }
        }
    }

    /// Corrects timers after the clock went back. Returns how many.
    ///
    /// Timers that were set while the clock was ahead are due after their full duration.
    pub(crate) fn went_back(&mut self, back: &WentBack, batch: &mut Batch) -> usize {
        let mut moved = 0;
        for (script, timers) in &mut self.timers {
            for (key, (due, row)) in &mut timers.waiting {
                let Some(later) = back.due(row.set, *due) else { continue };
                TIMERS.delete(batch, &(*due, script.to_string(), key.clone()));
                (*due, row.set) = (later, Some(back.now));
                TIMERS.put(batch, &(later, script.to_string(), key.clone()), row);
                self.scheduler.at(later, Due::Timer { script: script.clone(), key: key.clone() });
                moved += 1;
            }
        }
        moved
    }

    /// Removes a timer that is due at `now`, from memory and in `batch` from the store.
    ///
    /// Returns `None` if it was cancelled or postponed. A postponed one is requested again: the
    /// scheduler has just forgotten it.
    pub(crate) fn take(&mut self, script: &ScriptName, key: &str, now: Millis, batch: &mut Batch) -> Option<TimerRow> {
        let of_script = self.timers.get_mut(script)?;
        let due = of_script.waiting.get(key)?.0;
        if due > now {
            self.scheduler.at(due, Due::Timer { script: script.clone(), key: key.to_owned() });
            return None;
        }
        let (due, row) = of_script.remove(key)?;
        TIMERS.delete(batch, &(due, script.to_string(), key.to_owned()));
        Some(row)
    }

    fn remove(&mut self, script: &ScriptName, key: &str, batch: &mut Batch) {
        if let Some((due, _)) = self.timers.get_mut(script).and_then(|timers| timers.remove(key)) {
            TIMERS.delete(batch, &(due, script.to_string(), key.to_owned()));
        }
    }

    fn of(&mut self, script: &ScriptName) -> &mut ScriptTimers {
        let usages = &self.usages;
        self.timers.entry(script.clone()).or_insert_with(|| ScriptTimers {
            waiting: HashMap::new(),
            bytes: 0,
            usage: usages.of(script),
        })
    }
}
