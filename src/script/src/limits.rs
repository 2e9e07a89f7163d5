//! Limits that no setting changes, and the errors of runs that exceed a limit.

use std::time::Duration;

use palabre_types::Limits;

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
        Self::of(&Limits::default())
    }
}

impl RequestLimits {
    /// Returns the limits of requests to a script's routes, well below the memory of its VM.
    pub(crate) fn of(limits: &Limits) -> Self {
        Self {
            bytes: limits.request_kb.saturating_mul(1 << 10).min(limits.memory() / 16),
            values: limits.request_values.min(limits.memory_mb.saturating_mul(1_000)),
        }
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
