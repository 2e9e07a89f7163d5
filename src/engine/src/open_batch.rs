//! The entry batch that is being filled, and when it has to be closed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use palabre_state::{Applied, Class, Entry, Position, ScriptVersion};
use palabre_types::{Answer, MetricChange, Millis, RoomId, ScriptName};
use serde_json::Value;

use crate::message::{ReceiptSender, ReplySender, Waiter};
use crate::pending_waits::Fetch;

/// Delay of a batch with something urgent, while nothing is being written.
///
/// It leaves time for the runs that the batch has started, so that an event and its answer share
/// one fsync.
const COMMIT_DELAY_URGENT: Duration = Duration::from_micros(400);
/// Maximum delay of a batch for the rows of local adapters, which no script delays any more.
const COMMIT_DELAY_ROWS: Duration = Duration::from_millis(3);
/// Maximum delay of a batch with nothing urgent, so that it shares an fsync with others.
///
/// An fsync of its own would delay the next message, and on a busy server there would be one for
/// each. After a crash, unrecorded actions are performed again under the same keys, and platforms
/// repeat the events.
const COMMIT_DELAY_DEFERRED: Duration = Duration::from_millis(5);

/// The entry batch that is being filled.
#[derive(Default)]
pub(crate) struct OpenBatch {
    /// Time of the first addition that somebody waits for.
    pub(crate) since: Option<Instant>,
    /// Time of the first addition that nobody waits for.
    deferred_since: Option<Instant>,
    pub(crate) scripts: Vec<ScriptVersion>,
    /// The time when it was opened.
    pub(crate) at: Option<Millis>,
    pub(crate) entries: Vec<Entry>,
    /// The rows and effects of the entries.
    pub(crate) applied: Applied,
    /// The scripts whose cursors it advances.
    pub(crate) advanced: BTreeSet<usize>,
    /// Outbox rows that this batch removes.
    pub(crate) removed: Vec<(String, Class, Position)>,
    pub(crate) receipts: Vec<(u64, ReceiptSender)>,
    /// The receipts of conditional rows, in the order of their parts in the batch.
    pub(crate) conditional_receipts: Vec<(u64, ReceiptSender)>,
    /// Number of actions of local adapters whose rows are still to come, and may share its commit.
    pub(crate) rows_to_come: usize,
    /// The queues of actions that have become rows of the outbox.
    pub(crate) spilled: Vec<(RoomId, Class)>,
    pub(crate) run_batches: Vec<(Arc<AtomicU64>, u64)>,
    /// HTTP requests that are sent once the batch is durable.
    pub(crate) fetches: Vec<Fetch>,
    /// Answers to waits that were over at once.
    pub(crate) answers: Vec<(Waiter, Answer)>,
    /// Results of routes that are returned once the batch is durable.
    pub(crate) replies: Vec<(ReplySender, Result<Value, String>)>,
    pub(crate) metrics: Vec<(ScriptName, MetricChange)>,
}

impl OpenBatch {
    /// Returns the time to close it if nothing is being written then; `None` while it is empty.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let delay = if self.rows_to_come > 0 { COMMIT_DELAY_ROWS } else { COMMIT_DELAY_URGENT };
        let gathered = self.since.map(|since| since + delay);
        gathered.into_iter().chain(self.deferred_since.map(|since| since + COMMIT_DELAY_DEFERRED)).min()
    }

    /// Records an addition, and whether somebody waits for it.
    pub(crate) fn touch(&mut self, is_urgent: bool) {
        let since = if is_urgent { &mut self.since } else { &mut self.deferred_since };
        since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn records(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn script(&mut self, name: &ScriptName, version: &Arc<str>) -> u16 {
        let known = self.scripts.iter().rposition(|script| script.name == *name && script.version == *version);
        let position = known.unwrap_or_else(|| {
            self.scripts.push(ScriptVersion { name: name.clone(), version: Arc::clone(version) });
            self.scripts.len() - 1
        });
        u16::try_from(position).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_waits_for_keeps_a_batch_open_for_longer_until_somebody_does() {
        let (mut batch, now) = (OpenBatch::default(), Instant::now());
        assert_eq!(batch.deadline(), None);
        batch.touch(false);
        assert!(batch.deadline() >= Some(now + COMMIT_DELAY_DEFERRED));
        batch.touch(true);
        assert_eq!(batch.deadline(), batch.since.map(|since| since + COMMIT_DELAY_URGENT));
    }
}
