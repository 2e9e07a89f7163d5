//! Rebuilds the scripts of a failed worker: with their last version and all unfinished events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use palabre_model::{Reason, ScriptName};
use palabre_script::Source;
use palabre_store::{Direction, Store};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::sequencer::CoreMessage;
use crate::tables::WAITING_RUNS;
use crate::worker::Task;
use crate::workers::Workers;

/// The parts that a script is rebuilt from.
pub(crate) struct Spec {
    pub(crate) name: ScriptName,
    /// Creates the task that adopts the script.
    pub(crate) adopt: Box<dyn Fn() -> Task + Send>,
    /// The version that was activated last, and its configuration if that was changed.
    pub(crate) source: Option<Source>,
    pub(crate) config: Option<Value>,
}

/// The scripts, by id.
#[derive(Clone, Default)]
pub(crate) struct Specs(Arc<Mutex<HashMap<usize, Spec>>>);

impl Specs {
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<usize, Spec>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rebuilds scripts whose worker has failed.
pub(crate) struct Rebuilder {
    pub(crate) store: Store,
    pub(crate) workers: Workers,
    pub(crate) core: Sender<CoreMessage>,
    pub(crate) specs: Specs,
}

impl Rebuilder {
    /// Rebuilds scripts as their ids arrive, until the sequencer has ended.
    pub(crate) async fn run(self, mut script_ids: mpsc::UnboundedReceiver<usize>) {
        while let Some(script_id) = script_ids.recv().await {
            self.rebuild(script_id).await;
            // The sequencer ends only at shutdown.
            drop(self.core.send(CoreMessage::Rebuilt { script_id }));
        }
    }

    async fn rebuild(&self, script_id: usize) {
        let (name, adopt, source, config) = {
            let specs = self.specs.lock();
            let Some(spec) = specs.get(&script_id) else { return };
            (spec.name.clone(), (spec.adopt)(), spec.source.clone(), spec.config.clone())
        };
        self.workers.send(script_id, adopt);
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
        let (store, of) = (self.store.clone(), name.to_string());
        let waiting = tokio::task::spawn_blocking(move || -> palabre_store::Result<Vec<_>> {
            WAITING_RUNS.scan(&store.snapshot(0)?, &of, Direction::Forward)?.collect()
        });
        match waiting.await {
            Ok(Ok(waiting)) => {
                for ((_, seq), run) in waiting {
                    self.workers.send(script_id, Task::Interrupted { script_id, seq, run: Box::new(run) });
                }
            }
            Ok(Err(error)) => {
                tracing::error!(script = %name, "cannot read its waiting runs, which end with the next start: {error}");
            }
            Err(_stopped) => {}
        }
    }
}
