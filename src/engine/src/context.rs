//! The context of the engine: components that its parts share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_channel::Sender;
use palabre_platform::{Clock, EmitError, Receipt};
use palabre_runner::{Declared, Published, Settings};
use palabre_store::Store;
use palabre_types::Batch;

use crate::idempotency::IdempotencyKeys;
use crate::message::{CoreMessage, RowsWrite};
use crate::metrics::Metrics;
use crate::platforms::Platforms;
use crate::scheduler::Scheduler;
use crate::sink::Sink;

/// The shared components. All clones have the same ones.
#[derive(Clone)]
pub(crate) struct EngineContext {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) scheduler: Scheduler,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) platforms: Arc<Platforms>,
    pub(crate) settings: Arc<Settings>,
    /// The declarations of all scripts, which the sequencer publishes.
    pub(crate) declared: Arc<Published<Arc<Declared>>>,
    pub(crate) idempotency_keys: IdempotencyKeys,
    /// The next sequence number.
    pub(crate) seq: Arc<AtomicU64>,
    /// The channel to the sequencer.
    pub(crate) core: Sender<CoreMessage>,
}

impl EngineContext {
    /// Assigns a sequence number.
    pub(crate) fn assign_seq(&self) -> u64 {
        self.seq.fetch_add(1, Relaxed)
    }

    /// Writes rows of a component of the engine, in order with everything else.
    pub(crate) fn write(&self, source: &str, reason: &'static str, rows: Batch) -> Receipt {
        write_rows(&self.core, source, reason, rows)
    }

    /// Sends a message to the sequencer.
    pub(crate) fn send(&self, message: CoreMessage) {
        // The sequencer ends only at shutdown. If it panics, that is logged there.
        drop(self.core.send(message));
    }
}

/// The reason why a component could not read or write rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RowsError {
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    #[error(transparent)]
    Write(#[from] EmitError),
}

/// Writes rows of a component of the engine, in order with everything else.
pub(crate) fn write_rows(core: &Sender<CoreMessage>, source: &str, reason: &'static str, rows: Batch) -> Receipt {
    Sink(core.clone()).write_rows(RowsWrite { source: source.to_owned(), reason, rows }, false)
}
