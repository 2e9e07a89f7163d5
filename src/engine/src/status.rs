//! What an operator may ask: which bots and scripts are up, and what was last wrong with them.

use std::sync::{Mutex, PoisonError};

use palabre_model::{BotName, Condition, ScriptName};
use serde::Serialize;

use crate::read_back::WINDOW_EVENTS;

/// The state of everything.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The bots, in the order of bots.yaml.
    pub bots: Vec<BotStatus>,
    /// The scripts, by name.
    pub scripts: Vec<ScriptStatus>,
    /// Events that some script has still to take, and actions that are not yet performed.
    pub backlog: usize,
    /// Why nothing can be saved at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled: Option<String>,
    /// The threads that everything depends on.
    pub threads: Vec<ThreadStatus>,
    /// What is slowed down at present so that queues stay within their limits, a sentence each.
    pub back_pressure: Vec<String>,
}

/// One thread that everything depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThreadStatus {
    /// Its name, as the operating system shows it.
    pub name: String,
    /// Whether it runs. A dead one does not come back before the process is started again.
    pub alive: bool,
    /// How long it has been busy with one thing, in milliseconds; 0 while it waits for something to do.
    pub beat_age_ms: u64,
}

impl Status {
    /// Returns what is slowed down or held back, as the state of bots and scripts shows it.
    pub(crate) fn find_back_pressure(bots: &[BotStatus], scripts: &[ScriptStatus]) -> Vec<String> {
        let mut found = Vec::new();
        for bot in bots {
            if bot.is_full {
                found.push(format!("the outbox of bot {} is full: {} actions wait", bot.name, bot.waiting_actions));
            }
            if let Some(reason) = &bot.held_back {
                found.push(format!("actions of bot {} wait, since its platform takes none: {reason}", bot.name));
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

/// One bot.
#[derive(Debug, Clone, Serialize)]
pub struct BotStatus {
    /// Its name.
    pub name: BotName,
    /// Its platform.
    pub platform: String,
    /// How it is.
    pub state: BotState,
    /// Actions that wait to be performed by it.
    pub waiting_actions: usize,
    /// Their size.
    pub waiting_bytes: usize,
    /// Its outbox is full: scripts get an error when they want more done.
    pub is_full: bool,
    /// Why its actions wait, where its platform takes none at present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
}

/// How a bot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum BotState {
    /// It connects.
    Starting,
    /// It is connected.
    Up,
    /// It has lost its platform and tries again.
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

/// One script.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptStatus {
    /// Its name.
    pub name: ScriptName,
    /// The hash of the files that run; `None` while none could be loaded.
    pub version: Option<String>,
    /// The hooks that it has.
    pub hooks: Vec<&'static str>,
    /// What else it takes: commands, patterns, tasks, routes, each as a person would name it.
    pub declares: Vec<String>,
    /// How it is.
    pub state: ScriptState,
    /// What was wrong last, if anything ever was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Memory of its VM, in bytes.
    pub memory_bytes: usize,
    /// Runs that wait.
    pub waiting_runs: usize,
    /// Timers that wait.
    pub timers: usize,
    /// Their size with their payloads, in bytes.
    pub timer_bytes: u64,
    /// Events that it has still to take, those set aside among them.
    pub waiting_events: u64,
    /// Events that were set aside, because it rests where they happened.
    pub set_aside_events: u64,
}

/// How a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptState {
    /// It takes events.
    Up,
    /// It failed too often in a row and rests.
    Suspended,
    /// It could not be loaded.
    Broken,
}

/// A status that its owner writes and others read.
#[derive(Debug)]
pub(crate) struct Board<T>(Mutex<T>);

impl<T: Clone> Board<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self(Mutex::new(first))
    }

    pub(crate) fn read(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
