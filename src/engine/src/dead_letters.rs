//! Retries or deletes dead letters for an operator. The daemon must not be running meanwhile.

use std::collections::BTreeSet;

use palabre_store::{Direction, Error, Snapshot, Store};
use palabre_types::{Batch, Millis};

use crate::entry_batch::{EntryBatch, EventRecord, ScriptVersion};
use crate::outbox::entry::chain_row;
use crate::recovery::numbers;
use crate::rows::{DeadLetter, Position};
use crate::tables::{DEAD_LETTERS, JOURNAL, OUTBOX, unpacked};

/// An error of an operation on dead letters; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] Error),
    /// No dead letter has that number.
    #[error("there is no dead letter {0}; `palabre dead-letters list` lists them")]
    Unknown(u64),
}

/// Queues dead letters to be tried again by the next process. `now` is the time of their batch.
///
/// An action goes back to the outbox under its own key, so a platform that has performed it already
/// takes it as done. An event goes to its script under a new sequence number, after the events that
/// still wait for the script.
///
/// # Errors
/// If a letter does not exist, or the store cannot be read or written; then none is tried again.
pub async fn retry_dead_letters(store: &Store, numbers: &BTreeSet<u64>, now: Millis) -> Result<(), DeadLetterError> {
    let batch = retried(&store.snapshot(0)?, numbers, now)?;
    Ok(store.commit(batch).await?)
}

/// Deletes dead letters.
///
/// # Errors
/// If a letter does not exist, or the store cannot be read or written; then none is deleted.
pub async fn drop_dead_letters(store: &Store, numbers: &BTreeSet<u64>) -> Result<(), DeadLetterError> {
    let mut batch = Batch::default();
    {
        let snapshot = store.snapshot(0)?;
        for number in numbers {
            letter(&snapshot, *number)?;
            DEAD_LETTERS.delete(&mut batch, number);
        }
    }
    Ok(store.commit(batch).await?)
}

fn retried(snapshot: &Snapshot, letters: &BTreeSet<u64>, now: Millis) -> Result<Batch, DeadLetterError> {
    let mut next = numbers(snapshot)?;
    // After a full disk the batch that was written last may not have the highest numbers.
    for row in JOURNAL.scan_after(snapshot, &Vec::new(), &next.low_water_mark.saturating_sub(1), Direction::Forward)? {
        next.seq = next.seq.max(unpacked(row)?.1.next_seq);
    }
    let mut batch = Batch::default();
    let mut block = EntryBatch { at: now, low: next.low_water_mark, ..EntryBatch::default() };
    // The batch holds no actions, so all its positions are free.
    let mut places = (0..).map(|index| Position { block: next.block, index });
    for number in letters {
        DEAD_LETTERS.delete(&mut batch, number);
        match letter(snapshot, *number)? {
            DeadLetter::Event { script, event, .. } => {
                let of_script = ScriptVersion { name: script, version: "".into() };
                let known = block.scripts.iter().position(|script| *script == of_script).unwrap_or_else(|| {
                    block.scripts.push(of_script);
                    block.scripts.len() - 1
                });
                let targets = vec![u16::try_from(known).unwrap_or(u16::MAX)];
                block.events.push(EventRecord { seq: next.seq, targets, event });
                next.seq += 1;
            }
            DeadLetter::Action { key, action, requested, .. } => {
                let Some(place) = places.next() else { break };
                let (row_key, row) = chain_row(place, (key, action), requested);
                OUTBOX.put(&mut batch, &row_key, &row);
            }
        }
    }
    block.next_seq = next.seq;
    JOURNAL.put(&mut batch, &next.block, &block.pack(&mut Vec::new()));
    Ok(batch)
}

fn letter(snapshot: &Snapshot, number: u64) -> Result<DeadLetter, DeadLetterError> {
    DEAD_LETTERS.get(snapshot, &number)?.ok_or(DeadLetterError::Unknown(number))
}
