//! The engine's tables, typed; and how others may look into them.

use palabre_model::{Millis, RoomId, ScriptName};
use palabre_script::{Wait, decode_value};
use palabre_store::{Direction, Result, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::block::{Block, PackedBlock};
use crate::clock_watch::ClockRow;
use crate::outbox::{OutboxKey, OutboxRow};
use crate::recovery::{DeadLetter, Position, Tries};
use crate::tasks::{TaskRow, TaskRun};

/// Blocks by number.
pub(crate) const JOURNAL: Table<u64, PackedBlock> = Table::new(TableId::Journal);
/// The last event that each script has finished, or has got to its first wait.
pub(crate) const SCRIPT_MARKS: Table<String, u64> = Table::new(TableId::ScriptMarks);
/// The number of the last block.
pub(crate) const LAST_BLOCK: Table<String, u64> = Table::new(TableId::LastBlock);
/// The last outbox entry of each room that is settled.
pub(crate) const LANE_MARKS: Table<String, Position> = Table::new(TableId::LaneMarks);
/// Runs that wait, by script and event.
pub(crate) const WAITING_RUNS: Table<(String, u64), WaitingRun> = Table::new(TableId::WaitingRuns);
/// Timers by due time, script and key.
pub(crate) const TIMERS: Table<(Millis, String, String), TimerRow> = Table::new(TableId::Timers);
/// Letters by their own number.
pub(crate) const DEAD_LETTERS: Table<u64, DeadLetter> = Table::new(TableId::DeadLetters);
/// How often a start found a script at the same mark.
pub(crate) const RECOVERY: Table<String, Tries> = Table::new(TableId::Recovery);
/// Platforms' ids of messages that bots sent, by the key of the action.
pub(crate) const SENT_MESSAGES: Table<String, String> = Table::new(TableId::SentMessages);

/// Which action sent the message of a platform's id, by room and id; of platforms that name messages themselves.
pub(crate) const SENDERS: Table<(String, String), String> = Table::new(TableId::Senders);

/// Actions that wait outside of their lanes.
pub(crate) const OUTBOX: Table<OutboxKey, OutboxRow> = Table::new(TableId::Outbox);

/// What is remembered of the clock: one row.
pub(crate) const CLOCK: Table<String, ClockRow> = Table::new(TableId::Clock);

/// Events that wait because their script rests where they happened, by script, place and number.
pub(crate) const SET_ASIDE: Table<(String, String, u64), palabre_model::Event> = Table::new(TableId::SetAside);

/// Tasks by script and name.
pub(crate) const TASKS: Table<(String, String), TaskRow> = Table::new(TableId::Tasks);
/// How tasks went, by script, name and event.
pub(crate) const TASK_RUNS: Table<(String, String, u64), TaskRun> = Table::new(TableId::TaskRuns);

/// A run that waits, as a restart finds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WaitingRun {
    pub(crate) wait: Wait,
    pub(crate) since: Millis,
    /// The bot and room of its event, so that the script can be told where.
    pub(crate) event: palabre_model::Event,
}

/// A timer that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimerRow {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) room: Option<RoomId>,
    #[serde(default)]
    pub(crate) payload: Value,
    /// When it was set.
    #[serde(default)]
    pub(crate) set: Option<Millis>,
}

/// The key of a script's stored value in the file: the script, then the key within its storage.
pub(crate) fn value_key(script: &ScriptName, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(script.as_str().len() + 2 + key.len());
    full.extend_from_slice(script.as_str().as_bytes());
    full.extend_from_slice(&[0, 0]);
    full.extend_from_slice(key);
    full
}

/// All blocks of the journal, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub fn journal(snapshot: &Snapshot) -> Result<impl Iterator<Item = Result<(u64, Block)>> + '_> {
    Ok(JOURNAL.scan(snapshot, &Vec::new(), Direction::Forward)?.map(unpacked))
}

/// A row of the journal as a block.
pub(crate) fn unpacked(row: Result<(u64, PackedBlock)>) -> Result<(u64, Block)> {
    let (number, packed) = row?;
    let damaged = |cause| palabre_store::Error::Row { table: TableId::Journal, key: number.to_string(), cause };
    Ok((number, packed.unpack().map_err(damaged)?))
}

/// All dead letters, oldest first.
///
/// # Errors
/// When the store cannot be read.
pub fn dead_letters(snapshot: &Snapshot) -> Result<impl Iterator<Item = Result<(u64, DeadLetter)>> + '_> {
    DEAD_LETTERS.scan(snapshot, &Vec::new(), Direction::Forward)
}

/// How the runs of a script's task went, the last one first.
///
/// # Errors
/// When the store cannot be read.
pub fn task_runs<'s>(
    snapshot: &'s Snapshot,
    script: &ScriptName,
    task: &str,
) -> Result<impl Iterator<Item = Result<TaskRun>> + 's> {
    let of_task = (script.to_string(), task.to_owned());
    Ok(TASK_RUNS.scan(snapshot, &of_task, Direction::Backward)?.map(|row| row.map(|(_, run)| run)))
}

/// What a script has stored in its own scope: key and value.
///
/// # Errors
/// When the store cannot be read.
pub fn stored_values<'s>(
    snapshot: &'s Snapshot,
    script: &ScriptName,
) -> Result<impl Iterator<Item = Result<(String, Value)>> + 's> {
    let prefix = value_key(script, &[0]);
    let skip = prefix.len();
    Ok(snapshot.scan(TableId::ScriptValues, &prefix, None, Direction::Forward)?.map(move |row| {
        let (key, row) = row?;
        let name = String::from_utf8_lossy(&key[skip..]).into_owned();
        // A value that does not decode is shown as what is wrong with it.
        Ok((name, decode_value(&row.value).unwrap_or_else(Value::String)))
    }))
}
