//! Handles a failed worker: its scripts continue after the last events that they have finished.
//!
//! An event at which a worker fails three times is given up.

use std::sync::Arc;

use palabre_state::{DeadLetter, Entry, GivenUp, JOURNAL};
use palabre_types::Event;

use super::Sequencer;
use super::state::State;
use crate::backlog::Cursor;
use crate::rebuild::Rebuild;
use crate::route::{Lag, Replay};

/// Failures of workers at an event before it is given up.
const WORKER_FAILURES_MAX: u32 = 3;

impl Sequencer {
    /// Returns the unfinished events of a worker's scripts to the journal.
    ///
    /// `running` is the script that was running.
    pub(super) fn worker_failed(&mut self, state: &mut State, worker: usize, running: Option<usize>) {
        tracing::error!(worker, "a worker failed (a bug in Palabre); rebuilding its scripts");
        if let Some(script_id) = running {
            self.count_failure(state, script_id);
        }
        for script_id in 0..self.routes.len() {
            if self.routes[script_id].worker != worker {
                continue;
            }
            self.return_to_journal(state, script_id);
            let route = &mut self.routes[script_id];
            // One at a time, to find out which event it is if it happens again. A script that had
            // nothing to do is not to blame.
            route.replay = route.lag.is_some().then(|| Replay { is_free: true, ..Replay::default() });
        }
    }

    /// Returns the unfinished events of a script to the journal, to be handled by a new instance.
    pub(super) fn return_to_journal(&mut self, state: &mut State, script_id: usize) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        let count = route.unfinished();
        let first = route.window.front().map(|(seq, block, _)| Cursor { block: *block, seq: *seq });
        for (_, block, _) in route.window.drain(..) {
            state.finish_one(block);
        }
        route.window_bytes = 0;
        route.outgoing.clear();
        // Its events are read from the journal too.
        route.replay = route.replay.take().map(|_| Replay { is_free: true, ..Replay::default() });
        if let Some(cursor) = first.or(route.lag.as_ref().map(|lag| lag.cursor)) {
            route.lag = Some(Lag { cursor, count, is_reading: false });
        }
        route.is_ready = false;
        route.incarnation += 1;
        route.rebuilds += 1;
        state.rebuilding.push((script_id, self.number));
        // The new instance reads what this one has not proposed.
        let script = route.name.clone();
        self.append_edits_of(state, &script);
        // What it did until then has to be durable before it reads that.
        state.open.touch(true);
    }

    /// Counts a failure against the current event of a script, which is given up after too many.
    fn count_failure(&mut self, state: &mut State, script_id: usize) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        let Some((seq, block, bytes)) = route.window.front().copied() else { return };
        let failures = state.failures.entry((script_id, seq)).or_default();
        *failures += 1;
        if *failures < WORKER_FAILURES_MAX {
            return;
        }
        state.failures.remove(&(script_id, seq));
        let script = route.name.clone();
        tracing::error!(
            script = %script,
            event = seq,
            "given up: its worker failed {WORKER_FAILURES_MAX} times at this event; it is in the dead letters"
        );
        route.window.pop_front();
        route.window_bytes -= bytes;
        route.cursor = Some(seq);
        state.open.advanced.insert(script_id);
        state.finish_one(block);
        let event = self.event(state, block, seq);
        let letter = event.map(|event| {
            let letter = DeadLetter::Event { script: script.clone(), seq, event, at: self.cx.clock.now() };
            (self.cx.assign_seq(), letter)
        });
        self.append(state, Entry::GivenUp(Box::new(GivenUp { script, seq, letter })));
    }

    /// Returns an event of the open batch or of the journal.
    fn event(&self, state: &State, block: u64, seq: u64) -> Option<Arc<Event>> {
        let of = |entry: &Entry| match entry {
            Entry::Ingress(record) if record.seq == seq => Some(Arc::clone(&record.event)),
            _ => None,
        };
        if let Some(event) = state.open.entries.iter().find_map(of) {
            return Some(event);
        }
        let snapshot = self.cx.store.snapshot(0).ok()?;
        let packed = JOURNAL.get(&snapshot, &block).ok()??;
        packed.unpack().ok()?.entries.iter().find_map(of)
    }

    /// Requests the rebuild of scripts, now that a batch is durable.
    pub(super) fn rebuild(&mut self, state: &mut State, durable: u64) {
        for (script_id, _) in state.rebuilding.extract_if(.., |(_, number)| *number <= durable) {
            let Some(route) = self.routes.get(script_id) else { continue };
            // The receiver ends only at shutdown.
            let _sent = self.rebuilds.send(Rebuild { script_id, incarnation: route.incarnation });
        }
    }

    /// Handles a completed rebuild of a script.
    pub(super) fn rebuilt(&mut self, state: &mut State, script_id: usize) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        route.rebuilds = route.rebuilds.saturating_sub(1);
        if route.rebuilds > 0 {
            return;
        }
        let script = route.name.clone();
        self.send_edits_of(state, script_id, &script);
        // At a start, it is ready once it has received its recovered events.
        if !state.recovering.contains_key(&script) {
            self.ready(state, script_id);
        }
    }
}
