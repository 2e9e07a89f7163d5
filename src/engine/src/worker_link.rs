//! The link from the workers to the sequencer, the scheduler and the metrics.

use std::sync::Arc;

use crossbeam_channel::Sender;
use palabre_runner::{Activation, Owner, RunBatch};
use palabre_types::{MetricChange, Millis, RunId, ScriptName};

use crate::message::CoreMessage;
use crate::metrics::Metrics;
use crate::scheduler::{Due, Scheduler};

/// Passes on what workers propose, report and request.
pub(crate) struct WorkerLink {
    /// The channel to the sequencer.
    pub(crate) core: Sender<CoreMessage>,
    pub(crate) scheduler: Scheduler,
    pub(crate) metrics: Arc<Metrics>,
}

impl WorkerLink {
    fn send(&self, message: CoreMessage) {
        // The sequencer ends only at shutdown. If it panics, that is logged there.
        drop(self.core.send(message));
    }
}

impl Owner for WorkerLink {
    fn propose(&self, run_batches: Vec<RunBatch>) {
        self.send(CoreMessage::RunBatches(run_batches));
    }

    fn activated(&self, activation: Activation) {
        self.send(CoreMessage::Activated(activation));
    }

    fn worker_failed(&self, worker: usize, running: Option<usize>) {
        self.send(CoreMessage::WorkerFailed { worker, running });
    }

    fn reached_barrier(&self, number: u64) {
        self.send(CoreMessage::Barrier(number));
    }

    fn notify_operator(&self, text: String) {
        self.send(CoreMessage::NotifyOperator(text));
    }

    fn wake_at(&self, time: Millis, script_id: usize, run: RunId) {
        self.scheduler.at(time, Due::Wake { script_id, run });
    }

    fn cancel_wake(&self, script_id: usize, run: RunId) {
        self.scheduler.cancel(Due::Wake { script_id, run });
    }

    fn resume_at(&self, time: Millis, script_id: usize) {
        self.scheduler.at(time, Due::Resume { script_id });
    }

    fn count(&self, script: &ScriptName, what: &'static str) {
        self.metrics.count(script, what);
    }

    fn reserve_metric(&self, script: &ScriptName, change: &MetricChange, series_max: usize) -> Result<(), String> {
        self.metrics.reserve(script, change, series_max)
    }
}
