//! Rebuilds scripts whose worker has failed, or whose steps were refused.
//!
//! With their last version and all unfinished events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_runner::{InstanceSpec, Task, Workers};
use palabre_script::Source;
use palabre_state::{WAITING_RUNS, WaitingRun};
use palabre_store::Direction;
use palabre_types::{Reason, ScriptName};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::context::EngineContext;
use crate::message::CoreMessage;

/// The parts that a script is rebuilt from.
#[derive(Clone)]
struct Spec {
    instance: InstanceSpec,
    /// The version that was activated last, and its configuration if that was changed.
    source: Option<Source>,
    config: Option<Value>,
}

/// The scripts, by id.
#[derive(Clone, Default)]
pub(crate) struct Specs(Arc<Mutex<HashMap<usize, Spec>>>);

impl Specs {
    /// Adds a script that has not been activated.
    pub(crate) fn insert(&self, instance: InstanceSpec) {
        self.lock().insert(instance.script_id, Spec { instance, source: None, config: None });
    }

    /// Records the version that was activated, and its configuration if that was changed.
    pub(crate) fn activated(&self, script_id: usize, source: Source, config: Option<Value>) {
        if let Some(spec) = self.lock().get_mut(&script_id) {
            spec.source = Some(source);
            spec.config = config.or(spec.config.take());
        }
    }

    /// Records that a script was unloaded.
    pub(crate) fn unloaded(&self, script_id: usize) {
        if let Some(spec) = self.lock().get_mut(&script_id) {
            spec.source = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Spec>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A script to be rebuilt, and the number of its new instance.
pub(crate) struct Rebuild {
    pub(crate) script_id: usize,
    pub(crate) incarnation: u32,
}

/// Rebuilds scripts whose worker has failed, or whose steps were refused.
pub(crate) struct Rebuilder {
    pub(crate) cx: EngineContext,
    pub(crate) workers: Workers,
    pub(crate) specs: Specs,
}

impl Rebuilder {
    /// Rebuilds scripts as they arrive, until the sequencer has ended.
    pub(crate) async fn run(self, mut rebuilds: mpsc::UnboundedReceiver<Rebuild>) {
        while let Some(Rebuild { script_id, incarnation }) = rebuilds.recv().await {
            self.rebuild(script_id, incarnation).await;
            self.cx.send(CoreMessage::Rebuilt { script_id });
        }
    }

    async fn rebuild(&self, script_id: usize, incarnation: u32) {
        let spec = self.specs.lock().get(&script_id).cloned();
        let Some(Spec { instance, source, config }) = spec else { return };
        let name = instance.name.clone();
        // Other random numbers than those of the instances before.
        let seed = instance.seed.wrapping_add(u64::from(incarnation) << 32);
        let instance = InstanceSpec { incarnation, seed, ..instance };
        // Before the load, whose own runs may wait and go on.
        let waiting = self.waiting_runs(&name).await;
        self.workers.send(script_id, Task::Adopt(Box::new(instance)));
        if let Some(source) = source {
            let (reply, outcome) = oneshot::channel();
            self.workers.send(
                script_id,
                Task::Load { script_id, source: Box::new(source), config, reason: Reason::Start, reply },
            );
            // The reason why it does not load is in the log and in its status.
            drop(outcome.await);
        }
        // After the load, so that its `on_error` hears of them.
        for (seq, run) in waiting {
            self.workers.send(script_id, Task::Interrupted { script_id, seq, run: Box::new(run) });
        }
    }

    /// Returns the runs that waited in the instances before.
    async fn waiting_runs(&self, script: &ScriptName) -> Vec<(u64, WaitingRun)> {
        let (store, of) = (self.cx.store.clone(), script.to_string());
        let reading = tokio::task::spawn_blocking(move || -> palabre_store::Result<Vec<_>> {
            let snapshot = store.snapshot(0)?;
            let rows = WAITING_RUNS.scan(&snapshot, &of, Direction::Forward)?;
            rows.map(|row| row.map(|((_, seq), run)| (seq, run))).collect()
        });
        match reading.await {
            Ok(Ok(waiting)) => waiting,
            Ok(Err(error)) => {
                tracing::error!(%script, "cannot read its waiting runs, which end with the next start: {error}");
                Vec::new()
            }
            Err(_stopped) => Vec::new(),
        }
    }
}
