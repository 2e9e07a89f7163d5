//! What was given up, for an operator: tried again by the next daemon, or forgotten. No daemon may have the store meanwhile.

use std::collections::BTreeSet;

use palabre_model::{Batch, Millis};
use palabre_store::{Direction, Error, Snapshot, Store};

use crate::block::{Block, EventRecord, ScriptVersion};
use crate::outbox::row_of_its_own;
use crate::recovery::{DeadLetter, Position, numbers};
use crate::tables::{DEAD_LETTERS, JOURNAL, OUTBOX, unpacked};

/// Why nothing was done about dead letters.
#[derive(Debug, thiserror::Error)]
pub enum DeadLetterError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] Error),
    /// There is none of that number.
    #[error("there is no dead letter {0}; `palabre dead-letters list` shows those that there are")]
    Unknown(u64),
}

/// Has dead letters tried again by the next daemon, from `now` on: an action goes back to the outbox under its own key, so that a platform
/// which has it already takes it for done; an event goes to its script under a new number, behind what the script has left.
///
/// # Errors
/// When there is no such letter, or the store cannot be read or written; then none is tried again.
pub async fn retry_dead_letters(store: &Store, numbers: &BTreeSet<u64>, now: Millis) -> Result<(), DeadLetterError> {
    let batch = retried(&store.snapshot(0)?, numbers, now)?;
    Ok(store.commit(batch).await?)
}

/// Forgets dead letters.
///
/// # Errors
/// When there is no such letter, or the store cannot be read or written; then none is forgotten.
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
    // After a full disk the last block to be written may not be the one with the highest numbers.
    for row in JOURNAL.scan_after(snapshot, &Vec::new(), &next.low.saturating_sub(1), Direction::Forward)? {
        next.seq = next.seq.max(unpacked(row)?.1.next_seq);
    }
    let mut batch = Batch::default();
    let mut block = Block { at: now, low: next.low, ..Block::default() };
    // The block holds no actions, so that all these places in it are free.
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
            DeadLetter::Action { key, action, .. } => {
                let Some(place) = places.next() else { break };
                let (row_key, row) = row_of_its_own(place, key, action);
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
