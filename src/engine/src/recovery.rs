//! Finds the unfinished work at a start: events, actions and runs that waited.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use palabre_outbox::{ChainId, EarlierAttempts, PendingAction, UnfinishedActions};
use palabre_state::{
    BEGUN_ATTEMPTS, DEAD_LETTERS, DeadLetter, JOURNAL, OUTBOX, Position, QUEUE_CURSORS, RECOVERY, RecoveryAttempts,
    SCRIPT_CURSORS, Stored, WAITING_RUNS, WaitingRun, unpacked,
};
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::Batch;
use palabre_types::{EventName, Millis, ScriptName};

use crate::backlog::{Cursor, Queued, Unfinished};

/// Attempts at an event, each ended by a crash of the daemon, before it is given up.
const ATTEMPTS_MAX: u32 = 3;

/// All unfinished work at a start.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) next_seq: u64,
    pub(crate) next_batch: u64,
    pub(crate) low_water_mark: u64,
    pub(crate) cursors: HashMap<ScriptName, u64>,
    pub(crate) unfinished: HashMap<ScriptName, Unfinished>,
    pub(crate) actions: UnfinishedActions,
    pub(crate) waiting: Vec<(ScriptName, u64, WaitingRun)>,
    /// Events of unfinished runs of tasks.
    task_runs: HashSet<u64>,
    /// Rows that the start has to write before anything runs.
    pub(crate) batch: Batch,
}

impl Found {
    /// Returns the events of runs of tasks that are handled again, or ended as interrupted.
    pub(crate) fn alive(&self) -> HashSet<u64> {
        self.task_runs.iter().copied().chain(self.waiting.iter().map(|(_, seq, _)| *seq)).collect()
    }
}

/// The next numbers to assign: above all earlier ones, even if those have been removed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) seq: u64,
    pub(crate) block: u64,
    /// The low-water mark: the oldest batch that is still needed.
    pub(crate) low_water_mark: u64,
}

/// Finds the next numbers.
///
/// Batches written before the last one may hold higher sequence numbers: see [`read_journal`].
pub(crate) fn numbers(snapshot: &Snapshot) -> Result<Numbers> {
    let (mut seq, mut block, mut low_water_mark) = (1, 1, None);
    if let Some(last) = JOURNAL.scan(snapshot, &Vec::new(), Direction::Backward)?.map(unpacked).next() {
        let (number, last) = last?;
        (block, seq, low_water_mark) = (number + 1, last.next_seq, Some(last.low));
    }
    let mut above = |number: u64| seq = seq.max(number.saturating_add(1));
    if let Some(last) = DEAD_LETTERS.scan(snapshot, &Vec::new(), Direction::Backward)?.next() {
        above(last?.0);
    }
    for row in SCRIPT_CURSORS.scan(snapshot, &Vec::new(), Direction::Forward)? {
        above(row?.1);
    }
    for row in QUEUE_CURSORS.scan(snapshot, &Vec::new(), Direction::Forward)? {
        block = block.max(row?.1.block.saturating_add(1));
    }
    Ok(Numbers { seq, block, low_water_mark: low_water_mark.unwrap_or(block) })
}

/// Finds the unfinished work: reads the journal from the low-water mark.
pub(crate) fn find_unfinished(
    snapshot: &Snapshot,
    now: Millis,
    answers_expire: impl Fn(&str) -> Millis,
) -> Result<Found> {
    let Numbers { seq, block, low_water_mark } = numbers(snapshot)?;
    let mut found = Found { next_seq: seq, next_batch: block, low_water_mark, ..Found::default() };
    for row in SCRIPT_CURSORS.scan(snapshot, &Vec::new(), Direction::Forward)? {
        let (script, cursor) = row?;
        found.cursors.insert(script.into(), cursor);
    }
    for row in WAITING_RUNS.scan(snapshot, &Vec::new(), Direction::Forward)? {
        let ((script, seq), run) = row?;
        found.waiting.push((script.into(), seq, run));
    }
    let queue_cursors: HashMap<String, Position> =
        QUEUE_CURSORS.scan(snapshot, &Vec::new(), Direction::Forward)?.collect::<Result<_>>()?;
    let begun: HashSet<Position> = BEGUN_ATTEMPTS
        .scan(snapshot, &Vec::new(), Direction::Forward)?
        .map(|row| row.map(|((block, index), _)| Position { block, index }))
        .collect::<Result<_>>()?;
    found.actions.earlier = EarlierAttempts { first_batch: block, begun };
    let rows = read_outbox(snapshot, &mut found)?;
    read_journal(snapshot, &mut found, &queue_cursors, &rows, answers_expire)?;
    count_attempts(snapshot, &mut found, now)?;
    Ok(found)
}

/// Reads the rows of the outbox. Returns the positions of those that wait in their queues.
fn read_outbox(snapshot: &Snapshot, found: &mut Found) -> Result<HashSet<Position>> {
    let mut positions = HashSet::new();
    for row in OUTBOX.scan(snapshot, &Vec::new(), Direction::Forward)? {
        let (key, row) = row?;
        let attempts = row.attempts;
        let entry = PendingAction::from_row(&key, row);
        found.actions.rows.push((entry.bot().to_owned(), entry.bytes));
        if entry.stored == Stored::Chain {
            found.actions.chains.push((ChainId::of(&entry), entry.position, attempts));
        } else {
            found.actions.spilled.push((entry.action.room().clone(), entry.class));
            positions.insert(entry.position);
        }
    }
    Ok(positions)
}

fn read_journal(
    snapshot: &Snapshot,
    found: &mut Found,
    queue_cursors: &HashMap<String, Position>,
    rows: &HashSet<Position>,
    answers_expire: impl Fn(&str) -> Millis,
) -> Result<()> {
    let before = found.low_water_mark.saturating_sub(1);
    for row in JOURNAL.scan_after(snapshot, &Vec::new(), &before, Direction::Forward)? {
        let (number, block) = unpacked(row)?;
        // After a full disk, the batch that was written last may have a lower number than one
        // before it.
        found.next_seq = found.next_seq.max(block.next_seq);
        for record in block.events() {
            for target in &record.targets {
                let Some(script) = block.scripts.get(usize::from(*target)) else { continue };
                if found.cursors.get(&script.name).is_some_and(|cursor| record.seq <= *cursor) {
                    continue;
                }
                if record.event.kind.name() == EventName::Task {
                    found.task_runs.insert(record.seq);
                }
                let queued = || Queued { seq: record.seq, block: number, bytes: 0, event: Arc::clone(&record.event) };
                let unfinished = found.unfinished.entry(script.name.clone()).or_insert_with(|| Unfinished {
                    first: queued(),
                    count: 0,
                    is_one_at_a_time: false,
                    attempts: RecoveryAttempts { cursor: None, attempts: 1 },
                    cursor: Cursor { block: number, seq: record.seq },
                });
                unfinished.count += 1;
                // After a full disk, the batch that was written last may have a lower number than
                // one before it.
                if record.seq < unfinished.first.seq {
                    unfinished.first = queued();
                    unfinished.cursor = Cursor { block: number, seq: record.seq };
                }
            }
        }
        for (index, requested) in (0..).zip(block.into_actions()) {
            let position = Position { block: number, index };
            let answers_expire = answers_expire(requested.action.1.room().bot());
            let requested_by = (requested.hook, requested.now, answers_expire);
            let entry = PendingAction::new(position, requested.action, requested_by);
            let cursor = queue_cursors.get(&entry.class.cursor_key(entry.action.room()));
            if cursor.is_none_or(|cursor| position > *cursor) && !rows.contains(&position) {
                found.actions.entries.push(entry);
            }
        }
    }
    Ok(())
}

/// Counts the starts that found a script at the same cursor, after it had begun with its events.
///
/// At the second such start its events are replayed one at a time; at the third the first of them
/// is given up as a poison event.
fn count_attempts(snapshot: &Snapshot, found: &mut Found, now: Millis) -> Result<()> {
    let mut before: HashMap<String, RecoveryAttempts> = HashMap::new();
    for row in RECOVERY.scan(snapshot, &Vec::new(), Direction::Forward)? {
        let (script, attempts) = row?;
        if !found.unfinished.contains_key(script.as_str()) {
            RECOVERY.delete(&mut found.batch, &script);
        }
        before.insert(script, attempts);
    }
    for (script, unfinished) in &mut found.unfinished {
        let cursor = found.cursors.get(script).copied();
        let mut attempts = match before.get(script.as_str()) {
            Some(last) if last.cursor == cursor => last.attempts + 1,
            _ => 1,
        };
        let mut cursor_now = cursor;
        if attempts >= ATTEMPTS_MAX {
            let poison = unfinished.first.clone();
            unfinished.count -= 1;
            unfinished.cursor.seq = poison.seq + 1;
            tracing::error!(
                script = %script,
                event = poison.seq,
                "given up: the daemon went down {attempts} times at this event; it is in the dead letters"
            );
            let letter = DeadLetter::Event { script: script.clone(), seq: poison.seq, event: poison.event, at: now };
            // A number of its own: two scripts may give up the same event.
            DEAD_LETTERS.put(&mut found.batch, &found.next_seq, &letter);
            found.next_seq += 1;
            SCRIPT_CURSORS.put(&mut found.batch, &script.to_string(), &poison.seq);
            cursor_now = Some(poison.seq);
            attempts = 1;
        }
        unfinished.is_one_at_a_time = attempts > 1;
        unfinished.attempts = RecoveryAttempts { cursor: cursor_now, attempts };
        if let Some(cursor) = cursor_now {
            found.cursors.insert(script.clone(), cursor);
        }
    }
    found.unfinished.retain(|_, unfinished| unfinished.count > 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use palabre_store::Store;

    use super::*;
    use palabre_state::EntryBatch;

    fn numbers_of(rows: impl FnOnce(&mut Batch)) -> Numbers {
        let store = Store::in_memory().unwrap();
        let mut batch = Batch::default();
        rows(&mut batch);
        store.commit(batch).wait().unwrap();
        numbers(&store.snapshot(0).unwrap()).unwrap()
    }

    #[test]
    fn an_empty_store_begins_at_one() {
        assert_eq!(numbers_of(|_| ()), Numbers { seq: 1, block: 1, low_water_mark: 1 });
    }

    #[test]
    fn numbers_are_above_all_cursors_though_no_batch_is_left() {
        let found = numbers_of(|batch| {
            SCRIPT_CURSORS.put(batch, &"a".to_owned(), &500);
            SCRIPT_CURSORS.put(batch, &"b".to_owned(), &7);
            QUEUE_CURSORS.put(batch, &"lobby/general".to_owned(), &Position { block: 40, index: 3 });
        });
        assert_eq!(found, Numbers { seq: 501, block: 41, low_water_mark: 41 });
    }

    #[test]
    fn an_event_that_was_not_journalled_and_moved_a_cursor_keeps_its_number() {
        let found = numbers_of(|batch| {
            let block = EntryBatch { next_seq: 90, low: 3, ..EntryBatch::default() };
            JOURNAL.put(batch, &5, &block.pack(&mut Vec::new()));
            SCRIPT_CURSORS.put(batch, &"a".to_owned(), &95);
        });
        assert_eq!(found, Numbers { seq: 96, block: 6, low_water_mark: 3 });
    }
}
