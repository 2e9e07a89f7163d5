//! Barriers: callers that wait until nothing more happens before the clock advances.

use palabre_runner::Task;
use tokio::sync::oneshot;

use super::Sequencer;
use super::state::State;
use crate::scheduler::Due;

impl Sequencer {
    /// Answers once everything that is due, and all tasks of workers before that, are done.
    pub(super) fn quiesce(&self, state: &mut State, asked: oneshot::Sender<u64>) {
        let number = self.cx.assign_seq();
        state.barriers.insert(number, (self.workers.count(), asked));
        self.cx.scheduler.at(self.cx.clock.now(), Due::Barrier(number));
    }

    /// Passes a barrier on to the workers, after everything that was due before it.
    pub(super) fn pass_barrier(&self, number: u64) {
        self.workers.send_to_all(|| Task::Barrier(number));
    }
}
