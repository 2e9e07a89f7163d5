//! The sequencer's own state: the open batch, and what is in flight.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use palabre_types::{Batch, Millis, ScriptName};
use tokio::sync::oneshot;

use super::recent_batches::RecentBatches;
use super::release::Withheld;
use crate::interactions::Interactions;
use crate::message::{EditRequest, ReplySender};
use crate::open_batch::OpenBatch;
use crate::pending_waits::Outcomes;

/// The sequencer's own state.
#[derive(Default)]
pub(super) struct State {
    pub(super) open: OpenBatch,
    pub(super) in_flight: usize,
    /// The number of unfinished events and actions of each batch.
    pub(super) outstanding: BTreeMap<u64, usize>,
    /// The batch of the first unfinished event of each script that has not been handed its events.
    ///
    /// Until then the journal is needed from there on.
    pub(super) recovering: HashMap<ScriptName, u64>,
    /// Batches that the store has refused, until they are submitted again.
    pub(super) refused: BTreeMap<u64, Batch>,
    pub(super) withheld: Withheld,
    pub(super) retry_at: Option<Instant>,
    pub(super) recent: RecentBatches,
    pub(super) read_retry_at: Option<Instant>,
    pub(super) idle: Vec<oneshot::Sender<()>>,
    /// Callers that wait until everything is durable.
    pub(super) written: Vec<oneshot::Sender<()>>,
    pub(super) is_stalled: bool,
    /// Callers that wait for the result of a request, by the event's sequence number.
    pub(super) asked: HashMap<u64, ReplySender>,
    /// Callers that wait for a barrier, with the number of workers that have not reached it.
    pub(super) barriers: HashMap<u64, (usize, oneshot::Sender<u64>)>,
    /// The events that reported failed actions to scripts.
    ///
    /// Failures of actions that their `on_error` sends are not reported; a deleted room would loop
    /// for ever.
    pub(super) fault_events: VecDeque<u64>,
    pub(super) interactions: Interactions,
    /// Scripts to be rebuilt, each once that batch is durable.
    pub(super) rebuilding: Vec<(usize, u64)>,
    /// Edits that workers have not proposed yet.
    pub(super) edits: BTreeMap<u64, EditRequest>,
    /// The number of failures of a worker at an event of a script.
    pub(super) failures: HashMap<(usize, u64), u32>,
    /// The number of failed actions reported to each script in the minute that began then.
    pub(super) faults: HashMap<ScriptName, (Millis, u32)>,
    /// The number of messages so far that were about something that happened.
    pub(super) happened: u64,
    pub(super) outcomes: Outcomes,
    /// The buffer for encoding batches.
    pub(super) plain: Vec<u8>,
}

impl State {
    /// Records that a worker has reached a barrier. The caller is answered with the last one.
    pub(super) fn reached_barrier(&mut self, number: u64) {
        if let Some((left, _)) = self.barriers.get_mut(&number) {
            *left -= 1;
            if *left == 0
                && let Some((_, asked)) = self.barriers.remove(&number)
            {
                let _asked = asked.send(self.happened);
            }
        }
    }

    /// Records that an event or action of a batch is finished.
    pub(super) fn finish_one(&mut self, batch: u64) {
        if let Some(count) = self.outstanding.get_mut(&batch) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.outstanding.remove(&batch);
            }
        }
    }
}
