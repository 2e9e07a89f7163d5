//! The tasks of workers.

use std::sync::Arc;

use palabre_platform::Verdict;
use palabre_script::{Coverage, Failure, Source};
use palabre_state::{WaitingRun, WentBack};
use palabre_types::{Answer, Event, Reason, RunId, Write};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::instance_spec::InstanceSpec;

/// Maximum number of a script's events that its worker has: more follow as these are handled.
pub const WINDOW_EVENTS: usize = 4_096;

/// A task for a worker.
pub enum Task {
    /// Build the instance of a script.
    Adopt(Box<InstanceSpec>),
    /// Handle events, in this order.
    Events {
        /// The script.
        script_id: usize,
        /// The events, each with its sequence number.
        events: Vec<(u64, Arc<Event>)>,
    },
    /// Activate a version of a script, if it loads.
    Load {
        /// The script.
        script_id: usize,
        /// The files of the version.
        source: Box<Source>,
        /// The new value of `config`; `None` keeps the present one.
        config: Option<Value>,
        /// The reason, which its hooks see.
        reason: Reason,
        /// Receives the warnings about the version, or why it does not load.
        reply: oneshot::Sender<Result<Vec<String>, Failure>>,
    },
    /// The time limit of a wait is over.
    Wake {
        /// The script.
        script_id: usize,
        /// The step that ended with the wait.
        run: RunId,
    },
    /// End a run that waited when the process or the instance ended.
    Interrupted {
        /// The script.
        script_id: usize,
        /// The event of the run.
        seq: u64,
        /// The run.
        run: Box<WaitingRun>,
    },
    /// End suspensions that are over, and try again to read the store.
    Resume {
        /// The script.
        script_id: usize,
    },
    /// The answer that a run waits for.
    Answer {
        /// The script.
        script_id: usize,
        /// The step that ended with the wait.
        run: RunId,
        /// The answer.
        answer: Answer,
    },
    /// Apply an edit, and propose it in order with the script's steps.
    Edit {
        /// The script.
        script_id: usize,
        /// The id of the edit, which its run batch names.
        id: u64,
        /// The values.
        writes: Vec<Write>,
    },
    /// Report when this is reached.
    Barrier(u64),
    /// The clock went back, and the store has been corrected.
    WentBack(WentBack),
    /// Return the lines of a script that have run, and how often.
    Coverage {
        /// The script.
        script_id: usize,
        /// Receives the lines.
        reply: oneshot::Sender<Coverage>,
    },
    /// A message is about to be delivered.
    Gate {
        /// The script.
        script_id: usize,
        /// The message, as an event.
        event: Box<Event>,
        /// Receives the verdict of the script.
        reply: oneshot::Sender<Verdict>,
    },
    /// The script's files are gone.
    Unload {
        /// The script.
        script_id: usize,
    },
    /// Unload every script, hand over what there is, and end.
    Stop,
}
