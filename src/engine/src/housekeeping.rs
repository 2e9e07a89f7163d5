//! What is due goes to whoever waits for it; expired rows and old blocks are removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::Sender;
use palabre_model::{Batch, Millis};
use palabre_store::{Direction, Store};

use crate::scheduler::{Due, Scheduler};
use crate::sequencer::Note;
use crate::tables::{JOURNAL, unpacked};

/// How often, in milliseconds.
pub(crate) const HOUSEKEEPING: Millis = 60_000;
/// How many old blocks one round removes.
const BLOCKS_A_ROUND: usize = 1_000;

/// What the scheduler does when something is due.
pub(crate) fn waker(
    notes: Sender<Note>,
    store: Store,
    scheduler: Scheduler,
    low: Arc<AtomicU64>,
    retention: Duration,
) -> impl Fn(Due, Millis) + Send {
    move |due, time| {
        if due != Due::Housekeeping {
            drop(notes.send(Note::Due(due, time)));
            return;
        }
        scheduler.at(time + HOUSEKEEPING, Due::Housekeeping);
        let (store, low) = (store.clone(), low.load(Relaxed));
        let before = time.saturating_sub(u64::try_from(retention.as_millis()).unwrap_or(Millis::MAX));
        drop(tokio::task::spawn_blocking(move || {
            let swept = store.sweep(time).and_then(|(_, ticket)| ticket.wait());
            if let Err(error) = swept.and_then(|()| forget_blocks(&store, low, before)) {
                tracing::warn!("housekeeping has to wait: {error}");
            }
        }));
    }
}

/// Removes blocks that nothing needs any more and that are older than the journal is kept.
fn forget_blocks(store: &Store, low: u64, before: Millis) -> Result<(), palabre_store::Error> {
    let snapshot = store.snapshot(0)?;
    let mut batch = Batch::default();
    for row in JOURNAL.scan(&snapshot, &Vec::new(), Direction::Forward)?.take(BLOCKS_A_ROUND) {
        let (number, block) = unpacked(row)?;
        if number >= low || block.at >= before {
            break;
        }
        JOURNAL.delete(&mut batch, &number);
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).wait() }
}
