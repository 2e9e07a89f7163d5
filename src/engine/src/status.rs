//! The status for operators: which bots and scripts are up, and their last errors.

use palabre_platform::{Condition, ThreadStatus};
use palabre_types::{BotName, ScriptName};
use serde::Serialize;

use crate::backlog::WINDOW_EVENTS;

/// The state of the whole engine.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The bots, in the order of bots.yaml.
    pub bots: Vec<BotStatus>,
    /// The scripts, by name.
    pub scripts: Vec<ScriptStatus>,
    /// Number of events that wait for scripts, and of actions and HTTP requests that are not done.
    pub backlog: usize,
    /// The reason why nothing can be saved at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<String>,
    /// The threads that everything depends on.
    pub threads: Vec<ThreadStatus>,
    /// Sentences about the present back-pressure: what is slowed down to keep queues within limits.
    pub back_pressure: Vec<String>,
}

impl Status {
    /// Returns what is slowed down or held back, a sentence each.
    pub(crate) fn find_back_pressure(bots: &[BotStatus], scripts: &[ScriptStatus]) -> Vec<String> {
        let mut found = Vec::new();
        for bot in bots {
            if bot.is_full {
                found.push(format!("the outbox of bot {} is full: {} actions wait", bot.name, bot.waiting_actions));
            }
            if let Some(reason) = &bot.held_back {
                found.push(format!("actions of bot {} wait, since its platform accepts none: {reason}", bot.name));
            }
        }
        for script in scripts {
            if script.state == ScriptState::Suspended {
                found
                    .push(format!("script {} is suspended; {} events wait for it", script.name, script.waiting_events));
            } else if script.waiting_events > WINDOW_EVENTS as u64 {
                found.push(format!("script {} lags; {} events wait for it", script.name, script.waiting_events));
            }
        }
        found
    }
}

/// The state of one bot.
#[derive(Debug, Clone, Serialize)]
pub struct BotStatus {
    /// Its name.
    pub name: BotName,
    /// Its platform.
    pub platform: String,
    /// Its condition.
    pub state: BotState,
    /// Number of actions that wait to be performed by it.
    pub waiting_actions: usize,
    /// Their size in bytes.
    pub waiting_bytes: usize,
    /// Whether its outbox is full: scripts get an error if they request more.
    pub is_full: bool,
    /// The reason why its actions wait, if its platform accepts none at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
}

/// The condition of a bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum BotState {
    /// It is connecting.
    Starting,
    /// It is connected.
    Up,
    /// It has lost its platform and reconnects.
    Down(String),
    /// The platform refuses it; it tries again slowly.
    Refused(String),
}

impl From<&Condition> for BotState {
    fn from(condition: &Condition) -> Self {
        match condition {
            Condition::Starting => Self::Starting,
            Condition::Up => Self::Up,
            Condition::Down(reason) => Self::Down(reason.clone()),
            Condition::Refused(reason) => Self::Refused(reason.clone()),
        }
    }
}

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
