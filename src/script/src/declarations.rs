//! What a script declares while it loads: commands, patterns, tasks, routes, exports. Plain data: the functions behind them stay
//! in the VM, and are found by the names in here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_model::CommandSpec;
use palabre_text::{Entry, Scanner, TextError};
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// So many declarations of one kind a script may make.
pub(crate) const DECLARATIONS: usize = 1_000;

/// Everything that one version of a script declares.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Declarations {
    /// Commands, in the order in which they were declared.
    pub commands: Vec<CommandSpec>,
    /// Patterns and word lists, each with the key under which its function is found.
    pub patterns: Vec<PatternSpec>,
    /// What runs by the clock.
    pub tasks: Vec<TaskSpec>,
    /// Pages and services over HTTP.
    pub routes: Vec<RouteSpec>,
    /// Functions that other scripts may call.
    pub exports: Vec<String>,
    /// What finds `patterns` in a message.
    #[serde(skip)]
    pub listening: Listening,
}

/// Finds what a script listens for. Compiled with the script, on its worker.
#[derive(Debug, Clone, Default)]
pub struct Listening {
    /// Finds the patterns and word lists, each by its key.
    pub scanner: Arc<Scanner<String>>,
    /// How much CPU time it may take for one message.
    pub time: Duration,
}

impl PartialEq for Listening {
    /// It follows from the patterns, which are compared.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Listening {
    /// Compiles the patterns.
    pub(crate) fn new(patterns: &[PatternSpec], time: Duration) -> Result<Self, TextError> {
        let entries = patterns.iter().map(|pattern| {
            let key = pattern.key.clone();
            match &pattern.what {
                PatternKind::Regex(regex) => Entry::Pattern { key, pattern: regex.clone() },
                PatternKind::Words { words, normalise } => {
                    Entry::Words { key, words: Arc::clone(words), normalise: *normalise }
                }
            }
        });
        Ok(Self { scanner: Arc::new(Scanner::new(entries.collect())?), time })
    }
}

impl Declarations {
    /// Each of them, as a person would name it.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let commands = self.commands.iter().map(|command| format!("/{}", command.name));
        let patterns = (!self.patterns.is_empty()).then(|| format!("hear ({})", self.patterns.len()));
        let tasks = self.tasks.iter().map(|task| format!("every {}", task.schedule));
        let routes = self.routes.iter().map(|route| route.key());
        commands.chain(patterns).chain(tasks).chain(routes).collect()
    }
}

/// What a script listens for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSpec {
    /// What the script finds its function by.
    pub key: String,
    /// What is looked for.
    pub what: PatternKind,
    /// Messages that are changed are looked at too.
    #[serde(default)]
    pub edits: bool,
}

/// What a script looks for in messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternKind {
    /// A regular expression, in the syntax of the regex crate.
    Regex(String),
    /// Any of these words.
    Words {
        /// The words.
        words: Arc<[String]>,
        /// Look-alikes, accents and leet are seen through.
        normalise: bool,
    },
}

/// What runs by the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Its name, unique within the script.
    pub name: String,
    /// A cron expression of 5 to 7 fields, or a duration.
    pub schedule: String,
    /// The zone that a cron expression is meant in.
    #[serde(default)]
    pub zone: Option<String>,
    /// Tasks of this script that have to have ended well on the same day first.
    #[serde(default)]
    pub after: Vec<String>,
    /// Of tasks due at the same time, the higher one first.
    #[serde(default)]
    pub priority: i32,
    /// How often it is tried again when it fails.
    #[serde(default)]
    pub retries: u32,
    /// What becomes of a time that passed while the daemon was down.
    #[serde(default)]
    pub missed: Missed,
}

/// What becomes of a task's time that was missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// Nothing.
    #[default]
    Skip,
    /// It runs once at the start.
    Run,
}

/// A page or a service over HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// GET, POST, …
    pub method: String,
    /// Its path below `/scripts/<name>`, with `{name}` for a part that varies.
    pub path: String,
    /// Who may use it.
    #[serde(default)]
    pub auth: RouteAuth,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What a body has to be: fields by name.
    #[serde(default)]
    pub body: Option<BTreeMap<String, FieldSpec>>,
    /// How large a request may be.
    #[serde(skip)]
    pub limits: RequestLimits,
}

/// How large a request to a route may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// The length of its body, in bytes.
    pub bytes: usize,
    /// Names and values in its body, and names in its query.
    pub values: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Limits::default().request()
    }
}

impl RouteSpec {
    /// What the script finds its function by.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteAuth {
    /// Anybody.
    Public,
    /// Whoever has signed in.
    User,
    /// A moderator.
    Moderator,
    /// An administrator.
    Admin,
    /// Whoever has the script's token of bots.yaml.
    #[default]
    Token,
}

/// A field of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// string, integer, number, boolean, list or map.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// It may be left out.
    #[serde(default)]
    pub optional: bool,
    /// The least number, or the fewest characters or items.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest number, or the most characters or items.
    #[serde(default)]
    pub max: Option<f64>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// What a field of a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "they are those of JSON")]
pub enum FieldType {
    String,
    Integer,
    Number,
    Boolean,
    List,
    Map,
}
