//! Accepts what workers propose if it was computed on the heads of its scripts, or refuses it.
//!
//! Steps are executed before their predecessors are in the journal. What else changes a script's
//! values moves its head, so that a step which has not seen that is refused.

use palabre_runner::RunBatch;

use super::Sequencer;
use super::state::State;

impl Sequencer {
    /// Accepts run batches that belong together, or refuses all of them.
    pub(super) fn propose(&mut self, state: &mut State, run_batches: Vec<RunBatch>) {
        if self.are_on_heads(&run_batches) {
            for run_batch in run_batches {
                self.accept(state, run_batch);
            }
        } else {
            self.refuse(state, &run_batches);
        }
    }

    /// Whether each batch is of the latest instance of its script, and begins at its head.
    fn are_on_heads(&self, run_batches: &[RunBatch]) -> bool {
        run_batches.iter().enumerate().all(|(index, run_batch)| {
            let is_latest = self.is_of_latest_instance(run_batch);
            let before = run_batches[..index].iter().rfind(|before| before.script_id == run_batch.script_id);
            let head = before.map_or_else(|| self.machine.head(&run_batch.script.name), RunBatch::next_head);
            is_latest && run_batch.head == head
        })
    }

    fn is_of_latest_instance(&self, run_batch: &RunBatch) -> bool {
        self.routes.get(run_batch.script_id).is_some_and(|route| route.incarnation == run_batch.incarnation)
    }

    /// Refuses run batches: new instances of their scripts handle the events again.
    fn refuse(&mut self, state: &mut State, run_batches: &[RunBatch]) {
        for run_batch in run_batches {
            // Of earlier instances there may be more on the way, which are refused without consequences.
            if self.is_of_latest_instance(run_batch) {
                let (script, head) = (&run_batch.script.name, run_batch.head);
                tracing::warn!(%script, head, "steps on an outdated head are refused; their events are handled again");
                self.cx.metrics.count(script, "refused step");
                self.return_to_journal(state, run_batch.script_id);
            }
        }
    }
}
