//! The limits of a script that bots.yaml sets, with their defaults.

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

    /// Returns the memory of the VM, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory_mb.saturating_mul(1 << 20)
    }
}
