//! The rows of the engine's tables, as they are stored. `tables.rs` names the table of each.

use std::sync::Arc;

use palabre_script::Wait;
use palabre_types::{Action, ActionKey, Event, Millis, RoomId, ScriptName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The position of an action in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The number of the entry batch.
    pub block: u64,
    /// The index of the action, counted over all runs of the batch.
    pub index: u32,
}

impl Position {
    /// Returns the key of a row about the action.
    pub(crate) const fn key(self) -> (u64, u32) {
        (self.block, self.index)
    }
}

/// The number of starts that found a script at the same cursor with events after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecoveryAttempts {
    #[serde(rename = "mark")]
    pub(crate) cursor: Option<u64>,
    #[serde(rename = "tries")]
    pub(crate) attempts: u32,
}

/// An event or action that was given up, kept for the operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there are few, and one is held at a time")]
pub enum DeadLetter {
    /// An event at which the daemon or its worker failed again and again.
    Event {
        /// The script that was handling it.
        script: ScriptName,
        /// Its sequence number.
        seq: u64,
        /// The event.
        event: Arc<Event>,
        /// The time when it was given up.
        at: Millis,
    },
    /// An action that failed at every attempt.
    Action {
        /// Its key.
        key: ActionKey,
        /// The action.
        action: Action,
        /// The time when it was requested.
        #[serde(default)]
        requested: Millis,
        /// The last error of the platform.
        reason: String,
        /// The time when it was given up.
        at: Millis,
    },
}

/// A run that waits, as a restart finds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WaitingRun {
    pub(crate) wait: Wait,
    pub(crate) since: Millis,
    /// The number of the step that ended with the wait.
    #[serde(default)]
    pub(crate) step: u32,
    /// The event of the run: it tells the script where the run was interrupted.
    pub(crate) event: Event,
}

/// A pending timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TimerRow {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) room: Option<RoomId>,
    #[serde(default)]
    pub(crate) payload: Value,
    /// The time when it was set.
    #[serde(default)]
    pub(crate) set: Option<Millis>,
}

/// An action that is stored as a row, instead of in the journal alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OutboxRow {
    pub(crate) key: ActionKey,
    pub(crate) action: Action,
    #[serde(default)]
    pub(crate) expires: Option<Millis>,
    /// Number of attempts before it left its queue.
    #[serde(default, rename = "tries")]
    pub(crate) attempts: u32,
    /// The time when it was requested.
    #[serde(default)]
    pub(crate) requested: Millis,
    /// The time of the first attempt with an unknown outcome.
    #[serde(default)]
    pub(crate) uncertain_since: Option<Millis>,
}

/// The key of an outbox row: bot, kind, batch and index.
///
/// The kind is 0 or 1 for spilled entries of a class, or 2 for entries that are retried separately.
pub(crate) type OutboxKey = (String, u8, u64, u32);

/// State of a task that is kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskRow {
    /// The time when it was first declared.
    pub(crate) since: Millis,
    /// The last due time, whether the task ran or was skipped.
    #[serde(default)]
    pub(crate) due: Option<Millis>,
    /// The last due time whose run succeeded.
    #[serde(default)]
    pub(crate) ended_well: Option<Millis>,
    /// The current run.
    #[serde(default)]
    pub(crate) running: Option<RunningTask>,
    /// The next retry of a run that failed.
    #[serde(default)]
    pub(crate) retry: Option<TaskRetry>,
}

/// The current run of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunningTask {
    pub(crate) seq: u64,
    pub(crate) due: Millis,
    pub(crate) started: Millis,
    pub(crate) attempt: u32,
}

/// The next attempt at a run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskRetry {
    /// The due time of the task.
    pub(crate) due: Millis,
    pub(crate) attempt: u32,
    /// The time of the retry.
    pub(crate) at: Millis,
}

/// One run of a task, as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRun {
    /// Its due time.
    pub due: Millis,
    /// The time when it began.
    pub started: Millis,
    /// The time when it ended.
    pub ended: Millis,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The error; `None` if it succeeded.
    pub error: Option<String>,
}
