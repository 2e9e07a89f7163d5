//! Edits: values of scripts that an operator changes.
//!
//! The worker of the script applies an edit between two steps and proposes it in order with them, so
//! that no step is refused and no waiting run ends. A worker that is stuck does not hold it up.

use palabre_platform::EmitError;
use palabre_runner::Task;
use palabre_state::{EditRecord, Entry};
use palabre_types::{Millis, ScriptName};

use super::Sequencer;
use super::state::State;
use crate::message::EditRequest;
use crate::scheduler::Due;

/// Time in which a worker has to apply an edit, in milliseconds. A hook has 0.5 s by default.
const WORKER_EDIT_TIMEOUT: Millis = 2_000;

impl Sequencer {
    /// Passes an edit to the worker of its script.
    pub(super) fn edit(&mut self, state: &mut State, request: EditRequest) {
        if state.is_stalled {
            let reason = self.progress.stalled.read().unwrap_or_default();
            drop(request.receipt.send(Err(EmitError::Stalled(reason))));
            return;
        }
        let Some(script_id) = self.routes.iter().position(|route| route.name == request.script) else {
            return self.append_edit(state, request);
        };
        let (id, writes) = (self.cx.assign_seq(), request.writes.clone());
        state.edits.insert(id, request);
        self.cx.scheduler.at(self.cx.clock.now().saturating_add(WORKER_EDIT_TIMEOUT), Due::Edit(id));
        // An instance that is being built gets it then.
        if self.routes.get(script_id).is_some_and(|route| route.rebuilds == 0) {
            self.send_to_worker(script_id, Task::Edit { script_id, id, writes });
        }
    }

    /// Passes the pending edits of a script to its new instance.
    pub(super) fn send_edits_of(&self, state: &State, script_id: usize, script: &ScriptName) {
        for (id, request) in state.edits.iter().filter(|(_, request)| request.script == *script) {
            let (id, writes) = (*id, request.writes.clone());
            self.send_to_worker(script_id, Task::Edit { script_id, id, writes });
        }
    }

    /// Adds the pending edits of a script whose instance is lost.
    pub(super) fn append_edits_of(&mut self, state: &mut State, script: &ScriptName) {
        let ids: Vec<u64> =
            state.edits.iter().filter(|(_, request)| request.script == *script).map(|(id, _)| *id).collect();
        for id in ids {
            self.edited(state, id);
        }
    }

    /// Adds an edit, in order with the steps of its script.
    pub(super) fn edited(&mut self, state: &mut State, id: u64) {
        if let Some(request) = state.edits.remove(&id) {
            self.cx.scheduler.cancel(Due::Edit(id));
            self.append_edit(state, request);
        }
    }

    /// Adds an edit that its worker has not applied in time: its steps without it will be refused.
    pub(super) fn edit_is_overdue(&mut self, state: &mut State, id: u64) {
        if let Some(request) = state.edits.remove(&id) {
            let script = &request.script;
            tracing::warn!(%script, "its worker did not apply an edit in time; it counts from here on");
            self.append_edit(state, request);
        }
    }

    fn append_edit(&mut self, state: &mut State, request: EditRequest) {
        let EditRequest { script, by, writes, receipt } = request;
        let head = self.machine.head(&script);
        self.append(state, Entry::Edit(EditRecord { script, head, by, writes }));
        state.open.receipts.push((self.number, receipt));
        state.open.touch(true);
    }
}
