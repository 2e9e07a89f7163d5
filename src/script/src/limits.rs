//! Resource limits of scripts. A run that exceeds one ends with an error that names it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The limits of one script, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Memory of the VM, in mebibytes.
    pub memory_mb: usize,
    /// CPU time between two waits, in milliseconds.
    pub cpu_ms: u64,
    /// CPU time per minute of all runs that continue after a wait, in seconds.
    ///
    /// A run could otherwise compute without end by waiting often and briefly.
    pub cpu_s_per_minute: u32,
    /// Waits per minute. Each wait is a commit.
    pub waits_per_minute: u32,
    /// Time from the start of a run to its end, waits included, in seconds.
    pub wall_s: u64,
    /// Messages and other actions of one run between two waits.
    pub actions_per_run: u32,
    /// Messages and other actions per minute.
    pub actions_per_minute: u32,
    /// Log lines of one run between two waits.
    pub log_lines_per_run: u32,
    /// Log lines per minute.
    pub log_lines_per_minute: u32,
    /// HTTP requests per minute.
    pub requests_per_minute: u32,
    /// Stored data, in mebibytes.
    pub storage_mb: u64,
    /// Runs that wait at the same time.
    pub concurrent_runs: usize,
    /// Pending timers.
    pub timers: usize,
    /// Timers set per minute. It stops a timer that sets itself again at once.
    pub timers_per_minute: u32,
    /// Compiled patterns of `hear`, all together, in kibibytes.
    pub patterns_kb: usize,
    /// Words of `hear`, all together, in kibibytes. Each word counts 16 bytes more than its length.
    pub words_kb: usize,
    /// CPU time to search one message for the patterns and words of `hear`, in milliseconds.
    pub hear_ms: u64,
    /// Memory of pending timers with their payloads, in mebibytes.
    pub timers_mb: u64,
    /// Data stored and sent per minute, in mebibytes: values, timers, messages and requests.
    pub write_mb_per_minute: u32,
    /// HTTP requests in flight at the same time; further ones wait for their turn.
    ///
    /// A request is in flight until the script has received its response.
    pub http_requests: usize,
    /// Memory of waiting runs outside the VM, in mebibytes.
    ///
    /// It holds requests received and sent, and offered choices.
    pub waiting_mb: usize,
    /// Metric series: distinct names and sets of labels.
    pub metric_series: usize,
    /// Body of a request to a route, in kibibytes; at most a sixteenth of the VM's memory.
    pub request_kb: usize,
    /// Names and values in such a body or in the query; at most 1000 per mebibyte of the VM's memory.
    pub request_values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mb: 32,
            cpu_ms: 100,
            cpu_s_per_minute: 20,
            waits_per_minute: 12_000,
            wall_s: 3_600,
            actions_per_run: 500,
            actions_per_minute: 120_000,
            log_lines_per_run: 500,
            log_lines_per_minute: 60_000,
            requests_per_minute: 600,
            storage_mb: 64,
            concurrent_runs: 1_000,
            timers: 10_000,
            timers_per_minute: 6_000,
            patterns_kb: 8_192,
            words_kb: 4_096,
            hear_ms: 20,
            timers_mb: 16,
            write_mb_per_minute: 64,
            http_requests: 16,
            waiting_mb: 16,
            metric_series: 1_000,
            request_kb: 256,
            request_values: 10_000,
        }
    }
}

/// The limits of a request to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// The maximum length of the body, in bytes.
    pub bytes: usize,
    /// The maximum number of names and values in the body, and of names in the query.
    pub values: usize,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Limits::default().request()
    }
}

/// The maximum size of a source file, in bytes.
///
/// Compiling cannot be interrupted; this size takes about 15 ms.
pub(crate) const SOURCE_BYTES: usize = 256 << 10;
/// The maximum length of a stored key, in bytes.
pub const KEY_BYTES: usize = 512;
/// The maximum size of a stored value or a message, as passed by a script, in bytes.
pub const VALUE_BYTES: usize = 256 << 10;
/// The maximum size of the values passed to `t`, in bytes.
///
/// A text can contain each of them a hundred times.
pub(crate) const TRANSLATED_BYTES: usize = 64 << 10;
/// The maximum output of one step of a run, in bytes: stored values, messages and timers.
pub(crate) const OUTPUT_BYTES: usize = 8 << 20;
/// The maximum size of all declarations of a script, in bytes: they are in the host's memory.
pub(crate) const DECLARED_BYTES: usize = 8 << 20;
/// The maximum size of a timer's payload, as passed by a script, in bytes.
///
/// Payloads stay in memory until they are due, so larger data belongs in the store.
pub(crate) const TIMER_BYTES: usize = 16 << 10;
/// The maximum length of a name that a script gives to something outside it, in bytes.
pub(crate) const NAME_BYTES: usize = 512;
/// The maximum length of a reason, in bytes.
pub(crate) const REASON_BYTES: usize = 4 << 10;
/// The maximum nesting depth of tables that leave the VM.
pub(crate) const VALUE_DEPTH: usize = 64;
/// The maximum length of a log line, in bytes; the rest is cut off.
pub(crate) const LOG_BYTES: usize = 4 << 10;

/// A limit that a run exceeded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each is the field of Limits of its name, with its present value")]
pub enum Limit {
    #[error("CPU limit: the script computed for more than {0:?} without a wait (limits.cpu_ms)")]
    Cpu(Duration),
    #[error("CPU limit: the script's waiting runs computed for more than {0} s in a minute (limits.cpu_s_per_minute)")]
    CpuOfMinute(u32),
    #[error("wait limit: more than {0} waits in a minute (limits.waits_per_minute)")]
    Waits(u32),
    #[error("memory limit: the script needs more than {0} MiB (limits.memory_mb)")]
    Memory(usize),
    #[error("recursion limit: functions call each other too deeply")]
    Recursion,
    #[error("wall time limit: the run took longer than {0:?} (limits.wall_s)")]
    Wall(Duration),
    #[error("action limit: more than {0} actions in a minute (limits.actions_per_minute)")]
    Actions(u32),
    #[error("action limit: more than {0} actions in one run (limits.actions_per_run)")]
    ActionsOfRun(u32),
    #[error("log limit: more than {0} lines in one run (limits.log_lines_per_run)")]
    LogOfRun(u32),
    #[error("log limit: more than {0} lines in a minute (limits.log_lines_per_minute)")]
    Log(u32),
    #[error("request limit: more than {0} requests over HTTP in a minute (limits.requests_per_minute)")]
    Requests(u32),
    #[error("storage limit: more than {0} MiB (limits.storage_mb)")]
    Storage(u64),
    #[error("output limit: a run wants more than {} MiB stored, sent and looked up at once", OUTPUT_BYTES >> 20)]
    Output,
    #[error("run limit: more than {0} runs wait at the same time (limits.concurrent_runs)")]
    Runs(usize),
    #[error("timer limit: more than {0} timers wait at the same time (limits.timers)")]
    Timers(usize),
    #[error(
        "outbox limit: {actions} actions or {mb} MiB are waiting for {bot}, which cannot perform them faster \
         (bots.{bot}.outbox)"
    )]
    Outbox { bot: String, actions: usize, mb: usize },
    #[error("timer limit: more than {0} timers set in a minute (limits.timers_per_minute)")]
    TimersPerMinute(u32),
    #[error("pattern limit: the patterns of hear take more than {0} KiB once they are compiled (limits.patterns_kb)")]
    Patterns(usize),
    #[error("word limit: the words of hear take more than {0} KiB (limits.words_kb)")]
    Words(usize),
    #[error(
        "hear limit: a message takes more than {0:?} to be searched for the script's patterns and words \
         (limits.hear_ms)"
    )]
    Hear(Duration),
    #[error("timer limit: the timers that wait take more than {0} MiB with their payloads (limits.timers_mb)")]
    TimerBytes(u64),
    #[error("write limit: more than {0} MiB stored and sent in a minute (limits.write_mb_per_minute)")]
    Written(u32),
    #[error("wait limit: requests and choices of waiting runs take more than {0} MiB (limits.waiting_mb)")]
    WaitingBytes(usize),
    #[error(
        "declaration limit: commands, patterns, tasks, routes and exports take more than {} MiB",
        DECLARED_BYTES >> 20
    )]
    Declared,
}

impl Limit {
    /// Returns the limit's name in metrics: that of its setting, if it has one.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cpu(_) => "limit_cpu_ms",
            Self::CpuOfMinute(_) => "limit_cpu_s_per_minute",
            Self::Waits(_) => "limit_waits_per_minute",
            Self::Memory(_) => "limit_memory_mb",
            Self::Recursion => "limit_recursion",
            Self::Wall(_) => "limit_wall_s",
            Self::Actions(_) => "limit_actions_per_minute",
            Self::ActionsOfRun(_) => "limit_actions_per_run",
            Self::LogOfRun(_) => "limit_log_lines_per_run",
            Self::Log(_) => "limit_log_lines_per_minute",
            Self::Requests(_) => "limit_requests_per_minute",
            Self::Storage(_) => "limit_storage_mb",
            Self::Output => "limit_output",
            Self::Runs(_) => "limit_concurrent_runs",
            Self::Timers(_) => "limit_timers",
            Self::Outbox { .. } => "limit_outbox",
            Self::TimersPerMinute(_) => "limit_timers_per_minute",
            Self::Patterns(_) => "limit_patterns_kb",
            Self::Words(_) => "limit_words_kb",
            Self::Hear(_) => "limit_hear_ms",
            Self::TimerBytes(_) => "limit_timers_mb",
            Self::Written(_) => "limit_write_mb_per_minute",
            Self::WaitingBytes(_) => "limit_waiting_mb",
            Self::Declared => "limit_declarations",
        }
    }

    /// Whether the load caused the failure, and not the script.
    ///
    /// Such a failure is no reason to suspend the script.
    #[must_use]
    pub const fn is_rate(&self) -> bool {
        matches!(
            self,
            Self::Actions(_)
                | Self::Outbox { .. }
                | Self::Log(_)
                | Self::Requests(_)
                | Self::Runs(_)
                | Self::TimersPerMinute(_)
                | Self::Waits(_)
                | Self::Written(_)
                | Self::WaitingBytes(_)
        )
    }
}

impl Limits {
    /// Returns the CPU time between two waits.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms)
    }

    /// Returns the CPU time to search one message.
    #[must_use]
    pub fn hear(&self) -> Duration {
        Duration::from_millis(self.hear_ms)
    }

    /// Returns the time from a run's start to its end.
    #[must_use]
    pub fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_s)
    }

    /// Returns the limits of requests to the script's routes, well below the memory of its VM.
    pub(crate) fn request(&self) -> RequestLimits {
        RequestLimits {
            bytes: self.request_kb.saturating_mul(1 << 10).min(self.memory() / 16),
            values: self.request_values.min(self.memory_mb.saturating_mul(1_000)),
        }
    }

    /// Returns the memory of the VM, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.memory_mb.saturating_mul(1 << 20)
    }
}
