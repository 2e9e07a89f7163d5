//! The declarations of a script: commands, patterns, tasks, routes and exports.
//!
//! They are plain data. The functions stay in the VM, which finds them by the names in here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_text::{Entry, Scanner, TextError};
use palabre_types::CommandSpec;
use serde::{Deserialize, Serialize};

use crate::limits::RequestLimits;

/// The maximum number of declarations of one kind.
pub(crate) const DECLARATIONS_MAX: usize = 1_000;

/// The declarations of one version of a script.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Declarations {
    /// Commands, in the order in which they were declared.
    pub commands: Vec<CommandSpec>,
    /// Patterns and word lists, each with the key of its function.
    pub patterns: Vec<PatternSpec>,
    /// Scheduled tasks.
    pub tasks: Vec<TaskSpec>,
    /// HTTP routes.
    pub routes: Vec<RouteSpec>,
    /// Functions that other scripts may call.
    pub exports: Vec<String>,
    /// The compiled `patterns`.
    #[serde(skip)]
    pub listening: Listening,
}

/// The compiled patterns of a script. Compiled when the script loads, on its worker.
#[derive(Debug, Clone, Default)]
pub struct Listening {
    /// Finds patterns and word lists; yields their keys.
    pub scanner: Arc<Scanner<String>>,
    /// The CPU budget for one message.
    pub time: Duration,
}

impl PartialEq for Listening {
    /// Always true: it is derived from the patterns, which are compared themselves.
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
    /// Returns a short description of each declaration, for people.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let commands = self.commands.iter().map(|command| format!("/{}", command.name));
        let patterns = (!self.patterns.is_empty()).then(|| format!("hear ({})", self.patterns.len()));
        let tasks = self.tasks.iter().map(|task| format!("every {}", task.schedule));
        let routes = self.routes.iter().map(|route| route.key());
        commands.chain(patterns).chain(tasks).chain(routes).collect()
    }
}

/// A pattern or a word list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternSpec {
    /// The key by which the script finds the function.
    pub key: String,
    /// The text to look for.
    pub what: PatternKind,
    /// Whether edited messages are searched too.
    #[serde(default)]
    pub edits: bool,
}

/// The kinds of patterns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternKind {
    /// A regular expression, in the syntax of the regex crate.
    Regex(String),
    /// A list of words.
    Words {
        /// The words.
        words: Arc<[String]>,
        /// Whether look-alike characters, accents and leet are matched too.
        normalise: bool,
    },
}

/// A scheduled task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// Its name, unique within the script.
    pub name: String,
    /// A cron expression of 5 to 7 fields, or a duration.
    pub schedule: String,
    /// The time zone of a cron expression.
    #[serde(default)]
    pub zone: Option<String>,
    /// Tasks of this script that must have succeeded on the same day before this one runs.
    #[serde(default)]
    pub after: Vec<String>,
    /// Of tasks due at the same time, the one with the higher priority runs first.
    #[serde(default)]
    pub priority: i32,
    /// The maximum number of retries after a failure.
    #[serde(default)]
    pub retries: u32,
    /// The handling of a due time that passed while the daemon was down.
    #[serde(default)]
    pub missed: Missed,
}

/// The handling of a task's missed due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The run is skipped.
    #[default]
    Skip,
    /// The task runs once at start.
    Run,
}

/// An HTTP route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// The method: GET, POST, …
    pub method: String,
    /// The path below `/scripts/<name>`, with `{name}` for a variable part.
    pub path: String,
    /// The access rule.
    #[serde(default)]
    pub auth: RouteAuth,
    /// A description in one sentence.
    #[serde(default)]
    pub description: String,
    /// The fields of the body, by name; `None` if the route declares none.
    #[serde(default)]
    pub body: Option<BTreeMap<String, FieldSpec>>,
    /// The limits of a request.
    #[serde(skip)]
    pub limits: RequestLimits,
}

impl RouteSpec {
    /// Returns the key by which the script finds the function.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The access rule of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteAuth {
    /// Anybody.
    Public,
    /// A holder of a token in bots.yaml with at least the permission level member.
    User,
    /// A holder of a token in bots.yaml with at least the permission level moderator.
    Moderator,
    /// A holder of a token in bots.yaml with at least the permission level admin.
    Admin,
    /// A holder of the script's own token or of any token in bots.yaml.
    #[default]
    Token,
}

/// A field of a request body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSpec {
    /// The type: string, integer, number, boolean, list or map.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// Whether the field may be omitted.
    #[serde(default)]
    pub optional: bool,
    /// The minimum number, number of characters or number of items.
    #[serde(default)]
    pub min: Option<f64>,
    /// The maximum number, number of characters or number of items.
    #[serde(default)]
    pub max: Option<f64>,
    /// A description in one sentence.
    #[serde(default)]
    pub description: String,
}

/// The types of fields of a body.
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
