//! Run batches from workers: adds their steps, with all effects, to the open batch.

use std::sync::Arc;

use palabre_outbox::size;
use palabre_runner::RunBatch;
use palabre_state::{Entry, Progress, RunOutcome, RunRecord};
use palabre_types::{Answer, Batch, EventName, Refused, ScriptName, Wait};

use super::Sequencer;
use super::state::State;
use crate::pending_waits::Fetch;
use crate::refusals::Refusal;

impl Sequencer {
    pub(super) fn accept(&mut self, state: &mut State, run_batch: RunBatch) {
        let script_id = run_batch.script_id;
        // Before the runs, one of which may wait again.
        for (seq, _) in run_batch.waits.iter().filter(|(_, waiting)| waiting.is_none()) {
            state.outcomes.wait_is_over(script_id, *seq);
            state.interactions.resumes(*seq, script_id);
        }
        state.open.touch(run_batch.has_more_to_come());
        if let Some(id) = run_batch.edit {
            self.edited(state, id);
        }
        self.end_versions(state, &run_batch.script.name, &run_batch.ended);
        let script = state.open.script(&run_batch.script.name, &run_batch.script.version);
        for mut step in run_batch.runs {
            step.script = script;
            self.apply_step(state, script_id, &run_batch.script.name, step);
        }
        for (run, mut request) in run_batch.requests {
            self.cx.idempotency_keys.add_to(&mut request, &run_batch.script.name, &run);
            let hosts = self.routes.get(script_id).map(|route| Arc::clone(&route.hosts)).unwrap_or_default();
            state.open.fetches.push(Fetch { waiter: (script_id, run), request, hosts });
        }
        for (seq, waiting) in &run_batch.waits {
            state.interactions.waits(*seq, script_id, waiting.as_ref().map(|waiting| &waiting.wait));
        }
        // A run that has waited may end without an action.
        let over: Vec<_> = run_batch.waits.iter().filter_map(|(seq, _)| state.interactions.finished(*seq)).collect();
        self.notify_finished(over);
        let (cursor, waits, deferred) = (run_batch.cursor, run_batch.waits, run_batch.deferred);
        if cursor.is_some() || !waits.is_empty() || !deferred.is_empty() {
            self.append(state, Entry::Progress(Progress { script, cursor, waits, deferred }));
        }
        state.open.run_batches.push((run_batch.durable, run_batch.number));
        if let Some(cursor) = cursor {
            self.advance(state, script_id, cursor);
        }
    }

    /// Adds a step, with its effects.
    fn apply_step(&mut self, state: &mut State, script_id: usize, name: &ScriptName, mut step: RunRecord) {
        if !step.run.is_call() {
            state.outcomes.wait_is_over(script_id, step.run.seq);
        }
        self.ended(state, &step);
        let metrics = std::mem::take(&mut step.effects.metrics);
        state.open.metrics.extend(metrics.into_iter().map(|metric| (name.clone(), metric)));
        for Refused { key, action, room, reason, is_asked } in &step.effects.refused {
            state.outcomes.record(key.clone(), &Answer::Failed(reason.clone()));
            let (script, room, reason) = (key.script.clone(), room.clone(), reason.clone());
            self.report_refused(state, key.run.seq, Refusal { script, action: *action, room, reason }, *is_asked);
        }
        if let RunOutcome::Waiting(Wait::Delivery { key, .. }) = &step.outcome {
            let waiter = (script_id, step.run.clone());
            let answer = state.outcomes.wait(key, waiter.clone());
            state.open.answers.extend(answer.map(|answer| (waiter, answer)));
        }
        for (key, action) in &step.effects.actions {
            state.interactions.acts(key.run.seq);
            self.outbox.bot(action.room().bot()).reserve(size(action));
        }
        self.add_step(state, step);
    }

    /// Handles the end of a run that a caller waits for, or that belongs to a task.
    fn ended(&mut self, state: &mut State, step: &RunRecord) {
        if step.run.is_call() {
            return;
        }
        let error = match &step.outcome {
            RunOutcome::Waiting(_) => return,
            RunOutcome::Done => None,
            RunOutcome::Failed(fault) => Some(fault.message.as_str()),
        };
        let seq = step.run.seq;
        if step.hook == EventName::Task {
            let mut rows = Batch::default();
            self.tasks.ended(seq, error, self.cx.clock.now(), &mut rows);
            if !rows.is_empty() {
                self.append_rows(state, "tasks", "a task ended", rows);
            }
        }
        if step.hook == EventName::Request
            && let Some(reply) = state.asked.remove(&seq)
        {
            let result = match error {
                None => Ok(step.effects.result.clone().unwrap_or_default()),
                Some(problem) => Err(problem.to_owned()),
            };
            state.open.replies.push((reply, result));
        }
    }

    /// Records that a script has processed all events up to `cursor`.
    fn advance(&mut self, state: &mut State, script_id: usize, cursor: u64) {
        let Some(route) = self.routes.get_mut(script_id) else { return };
        state.open.advanced.insert(script_id);
        // An event that is not journalled has a sequence number too, and does not move the cursor
        // back.
        route.cursor = Some(route.cursor.map_or(cursor, |old| old.max(cursor)));
        while let Some((seq, block, bytes)) = route.window.front().copied()
            && seq <= cursor
        {
            route.window.pop_front();
            route.window_bytes -= bytes;
            state.finish_one(block);
        }
        if !state.interactions.is_empty() {
            let over = state.interactions.passed(script_id, cursor);
            self.notify_finished(over);
        }
    }
}
