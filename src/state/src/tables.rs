//! The typed tables of the engine, and read access to them for other crates.

use palabre_store::{Direction, Error, Result, Snapshot, Table};
use palabre_types::{Event, Millis, ScriptName, SourceFiles, TableId, decode_value};
use serde_json::Value;

use crate::clock_steps::ClockRow;
use crate::entry_batch::{EntryBatch, PackedBatch};
use crate::placement::{OutboxKey, Position};
use crate::rows::{DeadLetter, OutboxRow, RecoveryAttempts, TaskRow, TaskRun, TimerRow, VersionRow, WaitingRun};

/// Entry batches, by number.
pub const JOURNAL: Table<u64, PackedBatch> = Table::new(TableId::Journal);
/// Cursors of scripts: the last event that each has finished, or brought to its first wait.
pub const SCRIPT_CURSORS: Table<String, u64> = Table::new(TableId::ScriptCursors);
/// Heads of scripts: the number of steps and edits of each so far.
pub const SCRIPT_HEADS: Table<String, u64> = Table::new(TableId::ScriptHeads);
/// The number of the last entry batch.
pub const LAST_BATCH: Table<String, u64> = Table::new(TableId::LastEntryBatch);
/// The key of the only row of [`LAST_BATCH`].
pub const LAST_BATCH_KEY: &str = "last";
/// Cursors of ordered queues: the last outbox entry of each that is completed.
pub const QUEUE_CURSORS: Table<String, Position> = Table::new(TableId::QueueCursors);
/// Waiting runs, by script and event.
pub const WAITING_RUNS: Table<(String, u64), WaitingRun> = Table::new(TableId::WaitingRuns);
/// Timers by due time, script and key.
pub const TIMERS: Table<(Millis, String, String), TimerRow> = Table::new(TableId::Timers);
/// Dead letters, by number.
pub const DEAD_LETTERS: Table<u64, DeadLetter> = Table::new(TableId::DeadLetters);
/// The number of starts that found a script at the same cursor.
pub const RECOVERY: Table<String, RecoveryAttempts> = Table::new(TableId::Recovery);
/// The platform's ids of messages that bots sent, by action key.
pub const SENT_MESSAGES: Table<String, String> = Table::new(TableId::SentMessages);

/// The action that sent a message, by room and the platform's id.
///
/// Only for platforms that assign ids themselves.
pub const SENDERS: Table<(String, String), String> = Table::new(TableId::Senders);

/// Actions that are stored as rows, instead of in the journal alone.
pub const OUTBOX: Table<OutboxKey, OutboxRow> = Table::new(TableId::Outbox);

/// Times of attempts at actions that are performed at most once, by batch and index of the action.
///
/// A row is written before the attempt begins, and removed with the entry.
pub const BEGUN_ATTEMPTS: Table<(u64, u32), Millis> = Table::new(TableId::BegunAttempts);

/// The state of the clock: one row.
pub const CLOCK: Table<String, ClockRow> = Table::new(TableId::Clock);

/// Deferred events, whose script is suspended in their place, by script, place and number.
pub const DEFERRED_EVENTS: Table<(String, String, u64), Event> = Table::new(TableId::DeferredEvents);

/// Files of scripts, by script and the hash of the files.
pub const SCRIPT_SOURCES: Table<(String, String), SourceFiles> = Table::new(TableId::ScriptSources);
/// Versions of scripts, by script and the hash that the journal names.
pub const SCRIPT_VERSIONS: Table<(String, String), VersionRow> = Table::new(TableId::ScriptVersions);
/// The last batch that may mention a version that no run uses any more, by script and hash.
pub const ENDED_VERSIONS: Table<(String, String), u64> = Table::new(TableId::EndedVersions);

/// Tasks by script and name.
pub const TASKS: Table<(String, String), TaskRow> = Table::new(TableId::Tasks);
/// Runs of tasks, by script, task and event.
pub const TASK_RUNS: Table<(String, String, u64), TaskRun> = Table::new(TableId::TaskRuns);

/// Returns the store's key of a script's value: the script, then the key within its storage.
#[must_use]
pub fn value_key(script: &ScriptName, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(script.as_str().len() + 2 + key.len());
    full.extend_from_slice(script.as_str().as_bytes());
    full.extend_from_slice(&[0, 0]);
    full.extend_from_slice(key);
    full
}

/// Returns all entry batches of the journal, oldest first.
///
/// # Errors
/// If the store cannot be read.
pub fn journal(snapshot: &Snapshot) -> Result<impl Iterator<Item = Result<(u64, EntryBatch)>> + '_> {
    Ok(JOURNAL.scan(snapshot, &Vec::new(), Direction::Forward)?.map(unpacked))
}

/// Decompresses and decodes a row of the journal.
///
/// # Errors
/// If the row is damaged, or could not be read.
pub fn unpacked(row: Result<(u64, PackedBatch)>) -> Result<(u64, EntryBatch)> {
    let (number, packed) = row?;
    Ok((number, packed.unpack().map_err(|cause| damaged(number, cause))?))
}

/// Returns the error of an entry batch that is damaged.
pub fn damaged(number: u64, cause: String) -> Error {
    Error::Row { table: TableId::Journal, key: number.to_string(), cause }
}

/// Returns all dead letters, oldest first.
///
/// # Errors
/// If the store cannot be read.
pub fn dead_letters(snapshot: &Snapshot) -> Result<impl Iterator<Item = Result<(u64, DeadLetter)>> + '_> {
    DEAD_LETTERS.scan(snapshot, &Vec::new(), Direction::Forward)
}

/// Returns the runs of a script's task, the last one first.
///
/// # Errors
/// If the store cannot be read.
pub fn task_runs<'s>(
    snapshot: &'s Snapshot,
    script: &ScriptName,
    task: &str,
) -> Result<impl Iterator<Item = Result<TaskRun>> + 's> {
    let of_task = (script.to_string(), task.to_owned());
    Ok(TASK_RUNS.scan(snapshot, &of_task, Direction::Backward)?.map(|row| row.map(|(_, run)| run)))
}

/// Returns the names and values that a script has stored in a scope; the empty one is its own.
///
/// # Errors
/// If the store cannot be read.
pub fn stored_values<'s>(
    snapshot: &'s Snapshot,
    script: &ScriptName,
    scope: &str,
) -> Result<impl Iterator<Item = Result<(String, Value)>> + 's> {
    let prefix = value_key(script, &[scope.as_bytes(), &[0]].concat());
    let skip = prefix.len();
    Ok(snapshot.scan(TableId::ScriptValues, &prefix, None, Direction::Forward)?.map(move |row| {
        let (key, row) = row?;
        let name = String::from_utf8_lossy(&key[skip..]).into_owned();
        // A value that cannot be decoded is shown as the error.
        Ok((name, decode_value(&row.value).unwrap_or_else(Value::String)))
    }))
}
