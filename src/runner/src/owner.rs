//! The interface to the owner of the workers, which journals what they propose.

use palabre_types::{MetricChange, Millis, RunId, ScriptName};

use crate::activation::Activation;
use crate::run_batch::RunBatch;

/// The owner of the workers, which takes what they propose and report.
///
/// It outlives them, and receives what one worker passes on in the same order.
pub trait Owner: Send + Sync + 'static {
    /// Takes run batches that belong together: they are accepted and become durable together.
    ///
    /// Of a script whose run batches are refused, the owner has a new instance built.
    fn propose(&self, run_batches: Vec<RunBatch>);

    /// Reports that the active version of a script has changed.
    fn activated(&self, activation: Activation);

    /// Reports that a worker has failed, and lost all instances, while that script was running.
    ///
    /// The worker continues with its tasks, which are to build the instances anew.
    fn worker_failed(&self, worker: usize, running: Option<usize>);

    /// Reports that a worker has reached a barrier.
    fn reached_barrier(&self, number: u64);

    /// Passes a text on to the operator.
    fn notify_operator(&self, text: String);

    /// Requests [`Task::Wake`](crate::Task::Wake) at `time`, the end of the wait of a run.
    ///
    /// It replaces an earlier request for the same event of the script.
    fn wake_at(&self, time: Millis, script_id: usize, run: RunId);

    /// Cancels the request for the end of a wait.
    fn cancel_wake(&self, script_id: usize, run: RunId);

    /// Requests [`Task::Resume`](crate::Task::Resume) at `time`, in place of an earlier request.
    fn resume_at(&self, time: Millis, script_id: usize);

    /// Counts something that happened to a script, for the metrics.
    fn count(&self, script: &ScriptName, what: &'static str);

    /// Reserves the series of `change`, one of at most `series_max` series of the script.
    ///
    /// # Errors
    /// A sentence that says why there is no room for it.
    fn reserve_metric(&self, script: &ScriptName, change: &MetricChange, series_max: usize) -> Result<(), String>;
}
