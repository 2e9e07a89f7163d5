//! The rows of the engine's tables, as they are stored. `tables.rs` names the table of each.

use std::sync::Arc;

use palabre_types::{Action, ActionKey, Event, Limits, Millis, Observation, RoomId, ScriptName, Wait};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The number of bytes of the hash that identifies a version of a script.
const VERSION_HASH_BYTES: usize = 6;

/// The number of starts that found a script at the same cursor with events after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryAttempts {
    /// The cursor.
    #[serde(rename = "mark")]
    pub cursor: Option<u64>,
    /// The number of starts.
    #[serde(rename = "tries")]
    pub attempts: u32,
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
pub struct WaitingRun {
    /// The wait.
    pub wait: Wait,
    /// The time when it began to wait.
    pub since: Millis,
    /// The number of the step that ended with the wait.
    #[serde(default)]
    pub step: u32,
    /// The event of the run: it tells the script where the run was interrupted.
    pub event: Event,
}

/// A pending timer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimerRow {
    /// The name, which selects the `on_timer` function.
    pub name: String,
    /// The room of the run that set it.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// The payload.
    #[serde(default)]
    pub payload: Value,
    /// The time when it was set.
    #[serde(default)]
    pub set: Option<Millis>,
}

/// An action that is stored as a row, instead of in the journal alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Its key.
    pub key: ActionKey,
    /// The action.
    pub action: Action,
    /// The time when it expires.
    #[serde(default)]
    pub expires: Option<Millis>,
    /// Number of attempts before it left its queue.
    #[serde(default, rename = "tries")]
    pub attempts: u32,
    /// The time when it was requested.
    #[serde(default)]
    pub requested: Millis,
    /// The time of the first attempt with an unknown outcome.
    #[serde(default)]
    pub uncertain_since: Option<Millis>,
}

impl OutboxRow {
    /// Creates the row of an action that has not been attempted, and never expires.
    #[must_use]
    pub const fn new(key: ActionKey, action: Action, requested: Millis) -> Self {
        Self { key, action, expires: None, attempts: 0, requested, uncertain_since: None }
    }
}

/// State of a task that is kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    /// The time when it was first declared.
    pub since: Millis,
    /// The last due time, whether the task ran or was skipped.
    #[serde(default)]
    pub due: Option<Millis>,
    /// The last due time whose run succeeded.
    #[serde(default)]
    pub ended_well: Option<Millis>,
    /// The current run.
    #[serde(default)]
    pub running: Option<RunningTask>,
    /// The next retry of a run that failed.
    #[serde(default)]
    pub retry: Option<TaskRetry>,
}

/// The current run of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningTask {
    /// The event of the run.
    pub seq: u64,
    /// The due time.
    pub due: Millis,
    /// The time when it began.
    pub started: Millis,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// The next attempt at a run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRetry {
    /// The due time of the task.
    pub due: Millis,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The time of the retry.
    pub at: Millis,
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

/// The settings of a version of a script, with the hash of its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionRow {
    /// The hash of its files, under which they are stored.
    pub files: Arc<str>,
    /// The hash of the value that it reads as `config`, which may hold secrets.
    pub config: Arc<str>,
    /// Its limits.
    pub limits: Limits,
    /// Its grants.
    pub grants: Vec<String>,
    /// Its calls of the host interface while it loaded, with their results.
    #[serde(default)]
    pub observations: Vec<Observation>,
}

impl VersionRow {
    /// Returns the settings of a version that has been loaded; `files` is the hash of its files.
    #[must_use]
    pub fn new(
        files: &str,
        config: &Value,
        limits: &Limits,
        grants: &[String],
        observations: Vec<Observation>,
    ) -> Self {
        Self {
            files: files.into(),
            config: hash_of(config),
            limits: limits.clone(),
            grants: grants.to_owned(),
            observations,
        }
    }

    /// Returns the hash that identifies the version among those of its script.
    #[must_use]
    pub fn hash(&self) -> Arc<str> {
        hash_of(self)
    }
}

fn hash_of(value: &impl Serialize) -> Arc<str> {
    // Our own types always serialise; this only avoids a panic.
    let hash = Sha256::digest(serde_json::to_vec(value).unwrap_or_default());
    hash.iter().take(VERSION_HASH_BYTES).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
