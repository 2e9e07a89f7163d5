//! The status for operators: which bots and scripts are up, and their last errors.

use palabre_platform::{Condition, ThreadStatus};
use palabre_runner::{ScriptState, ScriptStatus, WINDOW_EVENTS};
use palabre_types::BotName;
use serde::Serialize;

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
