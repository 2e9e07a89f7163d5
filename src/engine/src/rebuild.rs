//! Scripts whose worker has failed come back: with their last version, and with every event that they were not done with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;
use palabre_model::{Reason, ScriptName};
use palabre_script::Source;
use palabre_store::{Direction, Store};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::sequencer::Note;
use crate::tables::WAITING_RUNS;
use crate::worker::Task;
use crate::workers::Workers;

/// What a script is made anew of.
pub(crate) struct Spec {
    pub(crate) name: ScriptName,
    /// Makes the task that adopts it.
    pub(crate) adopt: Box<dyn Fn() -> Task + Send>,
    /// The version that last took over, with its configuration where that was changed.
    pub(crate) source: Option<Source>,
    pub(crate) config: Option<Value>,
}

/// The scripts, by slot.
#[derive(Clone, Default)]
pub(crate) struct Specs(Arc<Mutex<HashMap<usize, Spec>>>);

impl Specs {
    pub(crate) fn lock(&self) -> MutexGuard<'_, HashMap<usize, Spec>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is needed to bring scripts back.
pub(crate) struct Rebuilder {
    pub(crate) store: Store,
    pub(crate) workers: Workers,
    pub(crate) notes: Sender<Note>,
    pub(crate) specs: Specs,
}

impl Rebuilder {
    /// Brings scripts back as their slots come in, until the sequencer has ended.
    pub(crate) async fn run(self, mut slots: mpsc::UnboundedReceiver<usize>) {
        while let Some(slot) = slots.recv().await {
            self.rebuild(slot).await;
            // The sequencer ends at shutdown alone.
            drop(self.notes.send(Note::Rebuilt { slot }));
        }
    }

    async fn rebuild(&self, slot: usize) {
        let (name, adopt, source, config) = {
            let specs = self.specs.lock();
            let Some(spec) = specs.get(&slot) else { return };
            (spec.name.clone(), (spec.adopt)(), spec.source.clone(), spec.config.clone())
        };
        self.workers.tell(slot, adopt);
        if let Some(source) = source {
            let (reply, outcome) = oneshot::channel();
            self.workers
                .tell(slot, Task::Load { slot, source: Box::new(source), config, reason: Reason::Start, reply });
            // Why it does not load is in the log and in its status.
            drop(outcome.await);
        }
        // Behind that, so that its `on_error` hears of them.
        let (store, of) = (self.store.clone(), name.to_string());
        let waiting = tokio::task::spawn_blocking(move || -> palabre_store::Result<Vec<_>> {
            WAITING_RUNS.scan(&store.snapshot(0)?, &of, Direction::Forward)?.collect()
        });
        match waiting.await {
            Ok(Ok(waiting)) => {
                for ((_, seq), run) in waiting {
                    self.workers.tell(slot, Task::Interrupted { slot, seq, run: Box::new(run) });
                }
            }
            Ok(Err(error)) => {
                tracing::error!(script = %name, "its waiting runs cannot be read, and end with the next start: {error}");
            }
            Err(_stopped) => {}
        }
    }
}
