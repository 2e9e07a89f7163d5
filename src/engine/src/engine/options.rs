//! The options of an engine and of its scripts, and the errors of a start.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_platform::{Adapter, Clock, Entropy};
use palabre_runner::BotSettings;
use palabre_script::{Source, SourceError};
use palabre_store::Store;
use palabre_types::{Bot, BotName, Limits, ScriptName};
use serde_json::Value;

use crate::http::Http;
use crate::operators::Operators;

/// Components and settings of an engine.
pub struct Options {
    /// The store of everything that is kept.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The bots, each with the adapter of its platform.
    pub bots: Vec<(Bot, Arc<dyn Adapter>)>,
    /// The scripts to load.
    pub scripts: Vec<ScriptSetup>,
    /// Number of threads that run scripts.
    pub workers: usize,
    /// Retention of the journal.
    pub journal_retention: Duration,
    /// Settings of bots.yaml, by bot.
    pub settings: HashMap<BotName, BotSettings>,
    /// Destinations of messages to the operator.
    pub operators: Operators,
    /// The HTTP client for requests of scripts.
    pub http: Arc<dyn Http>,
}

/// A script and its settings in bots.yaml.
#[derive(Debug)]
pub struct ScriptSetup {
    /// Its name.
    pub name: ScriptName,
    /// Its files, or why they could not be read.
    pub source: Result<Source, SourceError>,
    /// Its resource limits.
    pub limits: Limits,
    /// The value that it reads as `config`.
    pub config: Value,
    /// Its grants: what it may do in addition to answering.
    pub grants: Vec<String>,
    /// The bots whose events it receives; `None` means all.
    pub bots: Option<Vec<BotName>>,
}

/// An error of [`Engine::start`](crate::Engine::start).
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    /// The operating system did not start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}
