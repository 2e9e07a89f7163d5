//! Closes a batch, commits it, then releases the receipts, actions and replies that depend on it.

use std::sync::Arc;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Instant;

use palabre_platform::Fatal;
use palabre_runner::Task;
use palabre_state::{EntryBatch, EventRecord, JOURNAL, LAST_BATCH, LAST_BATCH_KEY, RECOVERY};
use palabre_store::{BatchIdentity, Error};
use palabre_types::Batch;

use super::release::DependentWork;
use super::state::State;
use super::{STORE_RETRY_DELAY, Sequencer};
use crate::message::{CoreMessage, ReleasedBatch};

/// Capacity of the encoding buffer that is kept for the next batch, in bytes.
const PLAIN_BUFFER_MAX: usize = 4 << 20;

impl Sequencer {
    pub(super) fn close(&mut self, state: &mut State) {
        let now = self.read_clock(state);
        let number = self.number;
        self.number += 1;
        let open = std::mem::take(&mut state.open);
        let mut rows = open.applied.into_rows();
        put_last_batch(number, &mut rows);
        let moved = open.advanced.into_iter();
        let cursors = moved.filter_map(|script_id| Some((script_id, self.routes.get(script_id)?.cursor?))).collect();
        let batch = EntryBatch {
            at: open.at.unwrap_or(now),
            next_seq: self.cx.seq.load(Relaxed),
            low: self.publish_low_water_mark(state, number),
            scripts: open.scripts,
            entries: open.entries,
        };
        put_entry_batch(&batch, number, &mut state.plain, &mut rows);
        if self.routes.iter().any(|route| route.lag.is_some()) {
            state.recent.put(number, batch.scripts.clone(), batch.events().map(without_rows).collect());
        }
        let actions = self.to_outbox(number, batch);
        if !actions.is_empty() {
            *state.outstanding.entry(number).or_default() += actions.len();
        }
        for ((script_id, run), answer) in open.answers {
            self.send_to_worker(script_id, Task::Answer { script_id, run, answer });
        }
        let work = DependentWork {
            number,
            receipts: open.receipts,
            conditional_receipts: open.conditional_receipts,
            actions,
            spilled: open.spilled,
            removed: open.removed,
            run_batches: open.run_batches,
            cursors,
            fetches: open.fetches,
            replies: open.replies,
            metrics: open.metrics,
        };
        state.withheld.put(work);
        self.submit(state, number, rows);
    }

    /// Publishes the oldest entry batch that is still needed once `number` is closed.
    fn publish_low_water_mark(&self, state: &State, number: u64) -> u64 {
        let lagging = self.routes.iter().filter_map(|route| Some(route.lag.as_ref()?.cursor.block));
        let recovering = state.recovering.values().copied();
        let oldest = state.outstanding.keys().copied().chain(lagging).chain(recovering).min();
        let low_water_mark = oldest.map_or(number, |oldest| oldest.min(number));
        self.progress.low_water_mark.store(low_water_mark, Release);
        low_water_mark
    }

    /// Commits a batch. Once it and all before it are durable, the work that depends on it is released.
    fn submit(&self, state: &mut State, number: u64, batch: Batch) {
        state.in_flight += 1;
        let (core, releaser, withheld) = (self.cx.core.clone(), self.releaser(), state.withheld.clone());
        self.cx.store.commit_with_callback(batch, Some(identity(number)), move |batch, result| {
            let message = match result {
                Ok(applied) => CoreMessage::Durable(withheld.durable(number, applied, &releaser)),
                Err(error) => CoreMessage::NotDurable { number, batch, error },
            };
            drop(core.send(message));
        });
    }

    /// Handles a commit, and the batches whose work it has released: what waited for them continues.
    ///
    /// None was released if an earlier batch is not durable.
    pub(super) fn durable(&mut self, state: &mut State, released: &[ReleasedBatch]) {
        state.in_flight -= 1;
        let needed = self.routes.iter().filter_map(|route| Some(route.lag.as_ref()?.cursor.block)).min();
        for ReleasedBatch { number, cursors } in released {
            state.recent.durable(*number, needed);
            if state.is_stalled && state.refused.is_empty() {
                tracing::info!(batch = number, "the store accepts writes again");
                state.is_stalled = false;
                self.outbox.set_stalled(false);
                self.progress.stalled.write(|stalled| *stalled = None);
            }
            self.feed_replays(state, *number, cursors);
            self.rebuild(state, *number);
        }
    }

    /// Handles a batch that the store has refused: it is submitted again after a delay.
    pub(super) fn not_durable(&self, state: &mut State, number: u64, batch: Batch, error: &Error) {
        state.in_flight -= 1;
        if !state.is_stalled {
            tracing::error!("the store refuses writes; nothing is acknowledged or answered meanwhile: {error}");
        }
        if let Error::Damaged { .. } = error {
            self.vitals.end(Fatal::Store(error.to_string()));
        }
        state.is_stalled = true;
        self.outbox.set_stalled(true);
        self.progress.stalled.write(|stalled| *stalled = Some(error.to_string()));
        state.refused.insert(number, batch);
        state.retry_at.get_or_insert_with(|| Instant::now() + STORE_RETRY_DELAY);
    }

    /// Submits the batches again that the store has refused, in order.
    ///
    /// One that is in the file all the same is not applied a second time.
    pub(super) fn resubmit(&self, state: &mut State) {
        for (number, batch) in std::mem::take(&mut state.refused) {
            self.submit(state, number, batch);
        }
    }

    /// Handles the remaining messages and writes a last batch. Gives up if the store does.
    pub(super) fn finish(&mut self, mut state: State) {
        while let Ok(message) = self.inbox.try_recv() {
            self.take(message, &mut state);
        }
        // An orderly shutdown is nobody's failed attempt.
        let mut rows = Batch::default();
        for route in &self.routes {
            RECOVERY.delete(&mut rows, &route.name.to_string());
        }
        self.append_rows(&mut state, "recovery", "an orderly shutdown", rows);
        if !state.is_stalled {
            self.close(&mut state);
        }
        while state.in_flight > 0
            && let Ok(message) = self.inbox.recv()
        {
            self.take(message, &mut state);
            if state.open.deadline().is_some() && state.in_flight == 0 && !state.is_stalled {
                self.close(&mut state);
            }
        }
        if state.is_stalled {
            tracing::error!("cannot write the last entry batch; the next start repeats what it held");
        }
    }
}

/// Adds the number of the batch, on the condition that the store holds the one before it.
///
/// If the store refuses a batch, it must not accept later ones before it: what it writes would
/// overwrite theirs.
fn put_last_batch(number: u64, batch: &mut Batch) {
    let key = LAST_BATCH_KEY.to_owned();
    LAST_BATCH.require_equals(batch, &key, &(number - 1));
    LAST_BATCH.put(batch, &key, &number);
}

/// Returns what a batch is recognised by.
///
/// A commit that the disk refused may be in the file when it is opened again. The batch is then the
/// last one in it, or the next one has been committed after it.
fn identity(number: u64) -> BatchIdentity {
    BatchIdentity { number, is_applied: LAST_BATCH.one_of(&LAST_BATCH_KEY.to_owned(), [number, number + 1]) }
}

/// Adds an entry batch of the journal to a batch. `plain` is the encoding buffer.
///
/// Also one without entries, whose rows are not journalled: numbers have no gaps.
fn put_entry_batch(batch: &EntryBatch, number: u64, plain: &mut Vec<u8>, rows: &mut Batch) {
    JOURNAL.put(rows, &number, &batch.pack(plain));
    // Large batches are rare, and a buffer for them is not kept.
    if plain.capacity() > PLAIN_BUFFER_MAX {
        *plain = Vec::new();
    }
}

/// Returns what a script receives of an event.
fn without_rows(record: &EventRecord) -> EventRecord {
    let (targets, event) = (record.targets.clone(), Arc::clone(&record.event));
    EventRecord { seq: record.seq, targets, event, rows: Batch::default(), timer: record.timer.clone() }
}
