//! The status of scripts, for operators.

use palabre_types::ScriptName;
use serde::Serialize;

/// The state of one script.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptStatus {
    /// Its name.
    pub name: ScriptName,
    /// The hash of the active files; `None` while none could be loaded.
    pub version: Option<String>,
    /// Its hooks.
    pub hooks: Vec<&'static str>,
    /// Its other declarations in words: commands, patterns, tasks, routes.
    pub declares: Vec<String>,
    /// Its condition.
    pub state: ScriptState,
    /// Its last error, if it ever had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Memory of its VM, in bytes.
    pub memory_bytes: usize,
    /// Number of runs that wait.
    pub waiting_runs: usize,
    /// Number of pending timers.
    pub timers: usize,
    /// Their size with their payloads, in bytes.
    pub timer_bytes: u64,
    /// Number of events that wait for it, including deferred ones.
    pub waiting_events: u64,
    /// Number of deferred events, which wait because it is suspended in their place.
    #[serde(rename = "set_aside_events")]
    pub deferred_events: u64,
}

/// The condition of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptState {
    /// It receives events.
    Up,
    /// It is suspended, since it failed too often in a row.
    Suspended,
    /// It could not be loaded.
    Broken,
}
