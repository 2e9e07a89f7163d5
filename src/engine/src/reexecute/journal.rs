//! Executes all steps of a journal again, in order.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use palabre_runner::StoredVersion;
use palabre_script::Ticker;
use palabre_state::{Entry, EntryBatch, RunOutcome, RunRecord, ScriptVersion, journal};
use palabre_store::{Result, Snapshot};
use palabre_types::{Effects, Event, EventName, RunId, RunKind, ScriptName, Write};

use super::rows::MemoryRows;
use super::{NotReexecuted, Reexecution};
use crate::versions::stored_version;

/// A step that did something else when it was executed again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("step {} of event {} of {script}: {mismatch}", run.step_text(), run.seq)]
pub struct Difference {
    /// The script.
    pub script: ScriptName,
    /// The step.
    pub run: RunId,
    /// The difference.
    pub mismatch: Mismatch,
}

/// A difference between a step and its record.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Mismatch {
    /// The version is not stored.
    #[error("its version {0} is not stored")]
    NoVersion(Arc<str>),
    /// It names another head than that of its script.
    #[error("it was computed on head {recorded}, but there are {actual} steps and edits before it")]
    Head {
        /// The head that it names.
        recorded: u64,
        /// The number of steps and edits of the script before it.
        actual: u64,
    },
    /// The event is neither in the record nor in the journal.
    #[error("its event is not in the journal")]
    NoEvent,
    /// It could not be executed.
    #[error(transparent)]
    NotReexecuted(#[from] NotReexecuted),
    /// It ended otherwise.
    #[error("it ends as {executed:?}, but its record says {recorded:?}")]
    Outcome {
        /// The outcome in the record.
        recorded: Box<RunOutcome>,
        /// The outcome now.
        executed: Box<RunOutcome>,
    },
    /// It had other effects.
    #[error("its effects are {executed:?}, but its record says {recorded:?}")]
    Effects {
        /// The effects in the record.
        recorded: Box<Effects>,
        /// The effects now.
        executed: Box<Effects>,
    },
}

/// Executes all steps of a journal again. Returns those that do something else than their records say.
///
/// The values of scripts are rebuilt from nothing, so the journal must be complete, and nobody else may have
/// changed them, as the correction of a clock that went back does.
///
/// # Errors
/// If the store cannot be read.
pub fn reexecute_journal(snapshot: &Snapshot, ticker: &Ticker) -> Result<Vec<Difference>> {
    let mut history =
        History { snapshot, ticker, versions: HashMap::new(), events: HashMap::new(), scripts: HashMap::new() };
    let mut differences = Vec::new();
    for row in journal(snapshot)? {
        let (_, batch) = row?;
        let EntryBatch { scripts, entries, .. } = batch;
        for entry in entries {
            match entry {
                Entry::Ingress(record) => drop(history.events.insert(record.seq, record.event)),
                Entry::Step(record) => {
                    let Some(version) = scripts.get(usize::from(record.script)) else { continue };
                    if let Some(mismatch) = history.step(version, &record)? {
                        differences.push(Difference { script: version.name.clone(), run: record.run, mismatch });
                    }
                }
                Entry::Edit(record) => history.scripts.entry(record.script).or_default().write(&record.writes),
                _ => {}
            }
        }
    }
    Ok(differences)
}

/// The state after the part of the journal that has been read.
struct History<'a> {
    snapshot: &'a Snapshot,
    ticker: &'a Ticker,
    versions: HashMap<(ScriptName, Arc<str>), Option<Rc<StoredVersion>>>,
    events: HashMap<u64, Arc<Event>>,
    scripts: HashMap<ScriptName, ScriptHistory>,
}

/// The state of one script between two of its steps.
#[derive(Default)]
struct ScriptHistory {
    /// The number of its steps and edits.
    head: u64,
    rows: Rc<MemoryRows>,
    /// If `on_unload` was the last step: its event, and the values before it.
    before_unload: Option<(u64, Rc<MemoryRows>)>,
    /// Runs that wait, by event.
    waiting: HashMap<u64, Reexecution>,
    /// Events of runs that wait after a step that was not executed.
    unexecuted: HashSet<u64>,
}

impl History<'_> {
    /// Executes a step and compares it with its record. Returns the difference, if there is one.
    fn step(&mut self, version: &ScriptVersion, record: &RunRecord) -> Result<Option<Mismatch>> {
        let actual = self.scripts.entry(version.name.clone()).or_default().head;
        if record.head != actual {
            return Ok(Some(Mismatch::Head { recorded: record.head, actual }));
        }
        let executed = match self.version(version)? {
            Some(stored) => self.execute(&version.name, &stored, record),
            None => Err(Mismatch::NoVersion(Arc::clone(&version.version))),
        };
        self.scripts.entry(version.name.clone()).or_default().follow(record);
        Ok(executed.err())
    }

    fn version(&mut self, version: &ScriptVersion) -> Result<Option<Rc<StoredVersion>>> {
        let key = (version.name.clone(), Arc::clone(&version.version));
        if let Some(known) = self.versions.get(&key) {
            return Ok(known.clone());
        }
        let stored = stored_version(self.snapshot, &version.name, &version.version)?.map(Rc::new);
        self.versions.insert(key, stored.clone());
        Ok(stored)
    }

    fn execute(
        &mut self,
        name: &ScriptName,
        stored: &StoredVersion,
        record: &RunRecord,
    ) -> std::result::Result<(), Mismatch> {
        let script = self.scripts.entry(name.clone()).or_default();
        let seq = record.run.seq;
        let is_next = matches!(record.run.kind, RunKind::Hook | RunKind::Interrupted);
        let waiting = if is_next { script.waiting.remove(&seq) } else { None };
        if record.is_cut_short || (is_next && record.answer.is_some() && script.unexecuted.contains(&seq)) {
            script.unexecuted.insert(seq);
            return Ok(());
        }
        let event = record.event.as_ref().or_else(|| self.events.get(&seq)).ok_or(Mismatch::NoEvent)?;
        let mut run = match waiting {
            Some(run) => run,
            None => Reexecution::load(name, stored, self.ticker)?,
        };
        let executed = run.step(script.rows_before(record), Arc::clone(event), record)?;
        if run.is_waiting() {
            script.waiting.insert(seq, run);
        }
        if executed.outcome != record.outcome {
            let (recorded, executed) = (Box::new(record.outcome.clone()), Box::new(executed.outcome));
            return Err(Mismatch::Outcome { recorded, executed });
        }
        if executed.effects != record.effects {
            let (recorded, executed) = (Box::new(record.effects.clone()), Box::new(executed.effects));
            return Err(Mismatch::Effects { recorded, executed });
        }
        Ok(())
    }
}

impl ScriptHistory {
    /// Returns the values that a step saw.
    fn rows_before(&self, record: &RunRecord) -> Rc<MemoryRows> {
        match &self.before_unload {
            // A new version loads before the old one is unloaded, and is recorded after it.
            Some((unload, rows)) if record.hook == EventName::Load && record.run.seq < *unload => Rc::clone(rows),
            _ => Rc::clone(&self.rows),
        }
    }

    /// Applies what a step did, as it was recorded.
    fn follow(&mut self, record: &RunRecord) {
        let is_unload = record.hook == EventName::Unload && record.run.kind == RunKind::Hook;
        self.before_unload = is_unload.then(|| (record.run.seq, Rc::new(MemoryRows::clone(&self.rows))));
        self.write(&record.effects.writes);
    }

    /// Applies the writes of a step or edit.
    fn write(&mut self, writes: &[Write]) {
        self.head += 1;
        self.rows.apply(writes);
    }
}
