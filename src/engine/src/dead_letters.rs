//! Retries or deletes dead letters for an operator. The daemon must not be running meanwhile.

use std::collections::BTreeSet;

use palabre_state::{
    Class, DEAD_LETTERS, DeadLetter, Entry, EventRecord, OUTBOX, OutboxRow, Position, RowsRecord, Stored,
};
use palabre_store::{Error, Snapshot, Store};
use palabre_types::{Batch, Millis};

use crate::offline_batch::OfflineBatch;

/// The source of rows that an operator changes.
const OPERATOR: &str = "operator";

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

/// Deletes dead letters. `now` is the time of their batch.
///
/// # Errors
/// If a letter does not exist, or the store cannot be read or written; then none is deleted.
pub async fn drop_dead_letters(store: &Store, numbers: &BTreeSet<u64>, now: Millis) -> Result<(), DeadLetterError> {
    let batch = {
        let snapshot = store.snapshot(0)?;
        let mut rows = Batch::default();
        for number in numbers {
            letter(&snapshot, *number)?;
            DEAD_LETTERS.delete(&mut rows, number);
        }
        let entry =
            Entry::Rows(RowsRecord { source: OPERATOR.to_owned(), reason: "dead letters dropped".into(), rows });
        OfflineBatch::new(&snapshot, now)?.with(entry)
    };
    Ok(store.commit(batch.into_rows()?).await?)
}

fn retried(snapshot: &Snapshot, letters: &BTreeSet<u64>, now: Millis) -> Result<Batch, DeadLetterError> {
    let mut batch = OfflineBatch::new(snapshot, now)?;
    let mut rows = Batch::default();
    // The batch holds no actions, so all its positions are free.
    let number = batch.number;
    let mut places = (0..).map(|index| Position { block: number, index });
    for number in letters {
        DEAD_LETTERS.delete(&mut rows, number);
        match letter(snapshot, *number)? {
            DeadLetter::Event { script, event, .. } => {
                let targets = vec![batch.script(script)];
                let seq = batch.assign_seq();
                let (rows, timer) = (Batch::default(), None);
                batch = batch.with(Entry::Ingress(EventRecord { seq, targets, event, rows, timer }));
            }
            DeadLetter::Action { key, action, requested, .. } => {
                let Some(place) = places.next() else { break };
                let row_key = place.outbox_key(action.room().bot(), Class::of(&action), Stored::Chain);
                OUTBOX.put(&mut rows, &row_key, &OutboxRow::new(key, action, requested));
            }
        }
    }
    let reason = "dead letters to be tried again".into();
    Ok(batch.with(Entry::Rows(RowsRecord { source: OPERATOR.to_owned(), reason, rows })).into_rows()?)
}

fn letter(snapshot: &Snapshot, number: u64) -> Result<DeadLetter, DeadLetterError> {
    DEAD_LETTERS.get(snapshot, &number)?.ok_or(DeadLetterError::Unknown(number))
}
