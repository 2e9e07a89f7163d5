//! The work that depends on an entry batch: released once the batch is durable, withheld until then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_outbox::{Outbox, PendingAction};
use palabre_platform::EmitError;
use palabre_state::{Class, Position};
use palabre_store::Applied;
use palabre_types::{MetricChange, RoomId, ScriptName};
use serde_json::Value;

use crate::message::{ReceiptSender, ReplySender};
use crate::metrics::Metrics;
use crate::pending_waits::{Fetch, Requests};

/// The work that is released once a batch is durable.
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
    /// Releases the work of a durable batch, on the store's thread. Returns the scripts' cursors.
    pub(super) fn release(&self, work: DependentWork, applied: &Applied) -> Vec<(usize, u64)> {
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
        cursors
    }
}

/// The work of batches that the store has refused, by number, until they are submitted again.
#[derive(Clone, Default)]
pub(super) struct Withheld(Arc<Mutex<BTreeMap<u64, DependentWork>>>);

impl Withheld {
    pub(super) fn put(&self, number: u64, work: DependentWork) {
        self.lock().insert(number, work);
    }

    pub(super) fn take(&self, number: u64) -> Option<DependentWork> {
        self.lock().remove(&number)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, DependentWork>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
