//! The work that depends on an entry batch: withheld until the batch and all before it are durable.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_outbox::{Outbox, PendingAction};
use palabre_platform::EmitError;
use palabre_state::{Class, Position};
use palabre_store::Applied;
use palabre_types::{MetricChange, RoomId, ScriptName};
use serde_json::Value;

use crate::message::{ReceiptSender, ReleasedBatch, ReplySender};
use crate::metrics::Metrics;
use crate::pending_waits::{Fetch, Requests};

/// The work that is released once a batch and all before it are durable.
pub(super) struct DependentWork {
    /// The number of the batch.
    pub(super) number: u64,
    pub(super) receipts: Vec<(u64, ReceiptSender)>,
    /// The receipts of conditional rows, in the order of their parts in the batch.
    pub(super) conditional_receipts: Vec<(u64, ReceiptSender)>,
    pub(super) actions: Vec<PendingAction>,
    /// The queues of actions that have become rows of the outbox instead.
    pub(super) spilled: Vec<(RoomId, Class)>,
    /// Outbox rows that were deleted.
    pub(super) removed: Vec<(String, Class, Position)>,
    pub(super) run_batches: Vec<(Arc<AtomicU64>, u64)>,
    pub(super) cursors: Vec<(usize, u64)>,
    pub(super) fetches: Vec<Fetch>,
    pub(super) replies: Vec<(ReplySender, Result<Value, String>)>,
    pub(super) metrics: Vec<(ScriptName, MetricChange)>,
}

/// The receivers of released work.
pub(super) struct Releaser {
    pub(super) outbox: Arc<Outbox>,
    pub(super) requests: Arc<Requests>,
    pub(super) metrics: Arc<Metrics>,
}

impl Releaser {
    /// Releases the work of a durable batch, on the store's thread.
    fn release(&self, work: DependentWork, applied: &Applied) -> ReleasedBatch {
        let DependentWork { number, receipts, conditional_receipts, actions, spilled, removed, .. } = work;
        let DependentWork { run_batches, cursors, fetches, replies, metrics, .. } = work;
        for (durable, run_batch) in run_batches {
            durable.store(run_batch, Release);
        }
        for (seq, receipt) in receipts {
            // The sender of the event may not wait for the receipt.
            drop(receipt.send(Ok(seq)));
        }
        for (position, (seq, receipt)) in conditional_receipts.into_iter().enumerate() {
            let is_refused = applied.refused.contains(&position);
            drop(receipt.send(if is_refused { Err(EmitError::Refused) } else { Ok(seq) }));
        }
        self.outbox.durable(number);
        self.outbox.removed(removed);
        self.outbox.push(actions);
        self.outbox.spilled(&spilled);
        for fetch in fetches {
            self.requests.begin(fetch);
        }
        for (reply, result) in replies {
            // The caller may be gone.
            drop(reply.send(result));
        }
        self.metrics.record(metrics);
        ReleasedBatch { number, cursors }
    }
}

/// The work of closed batches, by number, until its turn: it is released in the order of the batches.
///
/// A batch may be committed while an earlier one counts as refused: if the failed commit of that one
/// has reached the file, the later batch builds on it. The earlier batch is recognised only when it
/// is submitted again.
#[derive(Clone, Default)]
pub(super) struct Withheld(Arc<Mutex<BTreeMap<u64, WithheldWork>>>);

struct WithheldWork {
    work: DependentWork,
    /// The result of the commit, once the batch is durable.
    applied: Option<Applied>,
}

impl Withheld {
    /// Adds the work of a batch that was closed.
    pub(super) fn put(&self, work: DependentWork) {
        self.lock().insert(work.number, WithheldWork { work, applied: None });
    }

    /// Records that a batch is durable, and releases all work whose turn it is, on the store's thread.
    pub(super) fn durable(&self, number: u64, applied: Applied, releaser: &Releaser) -> Vec<ReleasedBatch> {
        if let Some(withheld) = self.lock().get_mut(&number) {
            withheld.applied = Some(applied);
        }
        std::iter::from_fn(|| self.take_first()).map(|(work, applied)| releaser.release(work, &applied)).collect()
    }

    /// Takes the work of the first batch, if that is durable.
    fn take_first(&self) -> Option<(DependentWork, Applied)> {
        let mut batches = self.lock();
        let first = batches.first_entry()?;
        first.get().applied.as_ref()?;
        let WithheldWork { work, applied } = first.remove();
        Some((work, applied?))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, WithheldWork>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
