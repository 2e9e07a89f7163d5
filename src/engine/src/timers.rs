//! The timers that wait, in memory as in the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Release};

use palabre_model::{Millis, ScriptName};
use palabre_script::TimerChange;
use palabre_store::{Batch, Direction, Result, Snapshot};

use crate::scheduler::{Due, Scheduler};
use crate::tables::{TIMERS, TimerRow};

/// Every timer of every script, by script and key.
pub(crate) struct TimerBook {
    timers: HashMap<ScriptName, HashMap<String, (Millis, TimerRow)>>,
    counts: HashMap<ScriptName, Arc<AtomicUsize>>,
    scheduler: Scheduler,
}

impl TimerBook {
    /// Reads the book from the store and asks to be woken for each timer.
    pub(crate) fn load(snapshot: &Snapshot, scheduler: Scheduler) -> Result<Self> {
        let mut book = Self { timers: HashMap::new(), counts: HashMap::new(), scheduler };
        for row in TIMERS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let ((due, script, key), row) = row?;
            let script = ScriptName::from(script);
            book.scheduler.at(due, Due::Timer { script: script.clone(), key: key.clone() });
            book.timers.entry(script).or_default().insert(key, (due, row));
        }
        Ok(book)
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// How many timers the script has, kept up to date.
    pub(crate) fn count_of(&mut self, script: &ScriptName) -> Arc<AtomicUsize> {
        let shared = Arc::clone(self.counts.entry(script.clone()).or_default());
        self.count(script);
        shared
    }

    /// Sets or cancels, in memory and in `batch`.
    pub(crate) fn apply(&mut self, script: &ScriptName, change: &TimerChange, batch: &mut Batch) {
        match change {
            TimerChange::Set { name, key, due, room, payload } => {
                let row = TimerRow { name: name.clone(), room: room.clone(), payload: payload.clone() };
                self.remove(script, key, batch);
                TIMERS.put(batch, &(*due, script.to_string(), key.clone()), &row);
                self.scheduler.at(*due, Due::Timer { script: script.clone(), key: key.clone() });
                self.timers.entry(script.clone()).or_default().insert(key.clone(), (*due, row));
            }
            TimerChange::Cancel { key } => self.remove(script, key, batch),
        }
        self.count(script);
    }

    /// Asks anew to be woken for what was due while the script was not there to take it.
    pub(crate) fn wake(&self, script: &ScriptName, now: Millis) {
        for (key, (due, _)) in self.timers.get(script).into_iter().flatten() {
            if *due <= now {
                self.scheduler.at(*due, Due::Timer { script: script.clone(), key: key.clone() });
            }
        }
    }

    /// Takes a timer that is due at `now`, out of the book and in `batch` out of the store. `None` when it was cancelled or put off.
    pub(crate) fn take(&mut self, script: &ScriptName, key: &str, now: Millis, batch: &mut Batch) -> Option<TimerRow> {
        let of_script = self.timers.get_mut(script)?;
        let (due, _) = of_script.get(key)?;
        if *due > now {
            return None;
        }
        let (due, row) = of_script.remove(key)?;
        TIMERS.delete(batch, &(due, script.to_string(), key.to_owned()));
        self.count(script);
        Some(row)
    }

    fn remove(&mut self, script: &ScriptName, key: &str, batch: &mut Batch) {
        if let Some((due, _)) = self.timers.get_mut(script).and_then(|timers| timers.remove(key)) {
            TIMERS.delete(batch, &(due, script.to_string(), key.to_owned()));
        }
    }

    fn count(&self, script: &ScriptName) {
        if let Some(count) = self.counts.get(script) {
            count.store(self.timers.get(script).map_or(0, HashMap::len), Release);
        }
    }
}
