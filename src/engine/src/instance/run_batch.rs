//! The run batch: the result of a script's steps, in the order in which they ended.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Acquire;

use palabre_fetch::Request;
use palabre_model::Event;
use palabre_script::Change;

use super::ScriptInstance;
use crate::entry_batch::{RunOutcome, RunRecord, ScriptVersion};
use crate::places::Place;
use crate::script_store::KeyMap;
use crate::tables::WaitingRun;

/// Steps that a worker hands over together, in order, with all their effects.
pub(crate) struct RunBatch {
    pub(crate) script_id: usize,
    pub(crate) script: ScriptVersion,
    /// The steps. Their position of the script in an entry batch is not known here; it is 0.
    pub(crate) runs: Vec<RunRecord>,
    /// The last event that the script has processed.
    pub(crate) cursor: Option<u64>,
    /// Stored values, the last change of each.
    pub(crate) writes: KeyMap<Change>,
    /// HTTP requests of runs that began to wait: event, step and request.
    pub(crate) requests: Vec<(u64, u32, Request)>,
    /// Runs that began to wait (`Some`) or that wait no longer (`None`).
    pub(crate) waits: Vec<(u64, Option<WaitingRun>)>,
    /// Changes of the deferred events.
    pub(crate) deferred: Vec<DeferredChange>,
    pub(crate) number: u64,
    pub(crate) durable: Arc<AtomicU64>,
}

/// A change of the deferred events: those of places where the script is suspended.
pub(crate) enum DeferredChange {
    Put { place: Place, seq: u64, event: Arc<Event> },
    Done { place: Place, seq: u64 },
}

impl RunBatch {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.cursor.is_none() && self.waits.is_empty() && self.deferred.is_empty()
    }

    /// Whether anything happens only once this is durable, other than that stored values are.
    pub(crate) fn has_more_to_come(&self) -> bool {
        let is_over = |run: &RunRecord| {
            let effects = &run.effects;
            matches!(run.outcome, RunOutcome::Done)
                && effects.actions.is_empty()
                && effects.timers.is_empty()
                && effects.result.is_none()
        };
        !(self.requests.is_empty() && self.waits.is_empty() && self.runs.iter().all(is_over))
    }
}

impl ScriptInstance {
    /// Closes the current run batch. Returns all batches so far, in order.
    pub(crate) fn take_run_batches(&mut self) -> Vec<RunBatch> {
        let last = self.seal();
        let mut run_batches = std::mem::take(&mut self.sealed);
        run_batches.extend(last);
        if !run_batches.is_empty() {
            self.store.tidy();
        }
        self.store.drop_snapshot();
        run_batches
    }

    pub(super) fn seal(&mut self) -> Option<RunBatch> {
        if self.run_batch.is_empty() {
            return None;
        }
        let durable = self.run_batch.durable.load(Acquire);
        while self.undurable.front().is_some_and(|(number, _)| *number <= durable) {
            self.undurable.pop_front();
        }
        if self.run_batch_bytes > 0 {
            self.undurable.push_back((self.run_batch.number, std::mem::take(&mut self.run_batch_bytes)));
        }
        if !self.run_batch.deferred.is_empty() {
            self.status.write(|status| status.set_aside_events = self.places.deferred());
        }
        let next = RunBatch {
            script_id: self.index,
            script: self.run_batch.script.clone(),
            runs: Vec::new(),
            cursor: None,
            // As many as last time; a map that grows little by little is copied again and again.
            writes: KeyMap::with_capacity_and_hasher(self.run_batch.writes.len(), Default::default()),
            requests: Vec::new(),
            waits: Vec::new(),
            deferred: Vec::new(),
            number: self.run_batch.number + 1,
            durable: Arc::clone(&self.run_batch.durable),
        };
        Some(std::mem::replace(&mut self.run_batch, next))
    }
}
