//! The engine's handle of one script: what its parts publish.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire};

use palabre_runner::{Published, ScriptState, ScriptStatus, TimerUsage};
use palabre_types::ScriptName;

/// The published states of one script.
pub(super) struct ScriptHandle {
    pub(super) name: ScriptName,
    pub(super) status: Arc<Published<ScriptStatus>>,
    /// Number of events that wait for it.
    pub(super) waiting_events: Arc<AtomicU64>,
    pub(super) timers: Arc<TimerUsage>,
}

impl ScriptHandle {
    /// Returns the handle of a script that is not loaded, with the reason if its files cannot be read.
    pub(super) fn new(name: ScriptName, last_error: Option<String>, timers: Arc<TimerUsage>) -> Self {
        let status = ScriptStatus {
            name: name.clone(),
            version: None,
            hooks: Vec::new(),
            declares: Vec::new(),
            state: ScriptState::Broken,
            last_error,
            memory_bytes: 0,
            waiting_runs: 0,
            timers: 0,
            timer_bytes: 0,
            waiting_events: 0,
            deferred_events: 0,
        };
        Self { name, status: Arc::new(Published::new(status)), waiting_events: Arc::default(), timers }
    }

    /// Returns the present status.
    pub(super) fn status(&self) -> ScriptStatus {
        let status = self.status.read();
        ScriptStatus {
            waiting_events: self.waiting_events.load(Acquire) + status.deferred_events,
            timers: self.timers.count(),
            timer_bytes: self.timers.bytes(),
            ..status
        }
    }
}
