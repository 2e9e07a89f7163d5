//! The pending timers.

use std::collections::HashMap;

use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Batch, Millis, ScriptName, TimerChange};

use crate::clock_steps::WentBack;
use crate::effect::Effect;
use crate::rows::TimerRow;
use crate::tables::TIMERS;

/// The timers of one script, by key.
#[derive(Debug, Default)]
struct ScriptTimers {
    pending: HashMap<String, (Millis, TimerRow)>,
    bytes: u64,
}

impl ScriptTimers {
    fn insert(&mut self, key: String, due: Millis, row: TimerRow) {
        self.bytes += weight(&key, &row);
        self.pending.insert(key, (due, row));
    }

    fn remove(&mut self, key: &str) -> Option<(Millis, TimerRow)> {
        let (due, row) = self.pending.remove(key)?;
        self.bytes = self.bytes.saturating_sub(weight(key, &row));
        Some((due, row))
    }
}

fn weight(key: &str, row: &TimerRow) -> u64 {
    TimerChange::weight_of(&row.name, key, &row.payload) as u64
}

/// All timers of all scripts, as the table holds them.
#[derive(Debug, Default)]
pub struct Timers(HashMap<ScriptName, ScriptTimers>);

impl Timers {
    /// Reads the timers from the store.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn load(snapshot: &Snapshot) -> Result<Self> {
        let mut timers = Self::default();
        for row in TIMERS.scan(snapshot, &Vec::new(), Direction::Forward)? {
            let ((due, script, key), row) = row?;
            timers.0.entry(script.into()).or_default().insert(key, due, row);
        }
        Ok(timers)
    }

    /// Returns the scripts that have or had timers.
    pub fn scripts(&self) -> impl Iterator<Item = &ScriptName> {
        self.0.keys()
    }

    /// Returns the number of a script's timers, and their memory in bytes.
    #[must_use]
    pub fn usage(&self, script: &ScriptName) -> (usize, u64) {
        self.0.get(script).map_or((0, 0), |timers| (timers.pending.len(), timers.bytes))
    }

    /// Returns the keys and due times of a script's timers.
    pub fn of(&self, script: &ScriptName) -> impl Iterator<Item = (&String, Millis)> {
        self.0.get(script).into_iter().flat_map(|timers| &timers.pending).map(|(key, (due, _))| (key, *due))
    }

    /// Returns a timer with its due time.
    #[must_use]
    pub fn get(&self, script: &ScriptName, key: &str) -> Option<(Millis, &TimerRow)> {
        self.0.get(script)?.pending.get(key).map(|(due, row)| (*due, row))
    }

    /// Corrects timers after the clock went back, in memory and in `rows`. Returns those that moved.
    ///
    /// Timers that were set while the clock was ahead are due after their full duration.
    pub(crate) fn went_back(&mut self, back: &WentBack, rows: &mut Batch) -> Vec<Effect> {
        let mut moved = Vec::new();
        for (script, timers) in &mut self.0 {
            for (key, (due, row)) in &mut timers.pending {
                let Some(later) = back.due(row.set, *due) else { continue };
                TIMERS.delete(rows, &(*due, script.to_string(), key.clone()));
                (*due, row.set) = (later, Some(back.now));
                TIMERS.put(rows, &(later, script.to_string(), key.clone()), row);
                moved.push(Effect::Arm { script: script.clone(), key: key.clone(), due: later });
            }
        }
        moved
    }

    /// Sets or cancels a timer at `now`.
    pub(crate) fn change(
        &mut self,
        script: &ScriptName,
        change: &TimerChange,
        now: Millis,
        rows: &mut Batch,
    ) -> Effect {
        match change {
            TimerChange::Set { name, key, due, room, payload } => {
                let (name, room, payload) = (name.clone(), room.clone(), payload.clone());
                let row = TimerRow { name, room, payload, set: Some(now) };
                self.remove(script, key, rows);
                TIMERS.put(rows, &(*due, script.to_string(), key.clone()), &row);
                self.0.entry(script.clone()).or_default().insert(key.clone(), *due, row);
                Effect::Arm { script: script.clone(), key: key.clone(), due: *due }
            }
            TimerChange::Cancel { key } => {
                self.remove(script, key, rows);
                Effect::Disarm { script: script.clone(), key: key.clone() }
            }
        }
    }

    /// Removes a timer, if there is one.
    pub(crate) fn remove(&mut self, script: &ScriptName, key: &str, rows: &mut Batch) {
        if let Some((due, _)) = self.0.get_mut(script).and_then(|timers| timers.remove(key)) {
            TIMERS.delete(rows, &(due, script.to_string(), key.to_owned()));
        }
    }
}
