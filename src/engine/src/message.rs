//! Messages to the sequencer and to the workers, with their payloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use palabre_fetch::Grants;
use palabre_outbox::Completed;
use palabre_platform::{EmitError, Verdict};
use palabre_script::{Coverage, Declarations, Failure, Source};
use palabre_state::{DeferredChange, RunOutcome, RunRecord, ScriptVersion, WaitingRun, WentBack};
use palabre_store::Error;
use palabre_types::{
    Answer, Batch, BotName, Event, EventName, Limits, Millis, Reason, Request, RunId, ScriptName, Write,
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::backlog::{Cursor, Read, Unfinished};
use crate::published::Published;
use crate::scheduler::Due;
use crate::status::ScriptStatus;
use crate::timer_usage::TimerUsage;
use crate::versions::StoredVersion;

/// The channel for the result of a route.
pub(crate) type ReplySender = oneshot::Sender<Result<Value, String>>;

/// The channel for the receipt of an event.
pub(crate) type ReceiptSender = oneshot::Sender<Result<u64, EmitError>>;

/// A waiting run: the id of its script, and the step that ended with the wait.
pub(crate) type Waiter = (usize, RunId);

/// A message to the sequencer.
#[allow(clippy::large_enum_variant, reason = "most are events, and a box for each would be one allocation more")]
pub(crate) enum CoreMessage {
    Emit {
        event: Event,
        rows: Batch,
        receipt: ReceiptSender,
        /// Whether the sender waits for the receipt.
        is_urgent: bool,
    },
    /// Rows that belong to no event.
    Write {
        write: RowsWrite,
        receipt: ReceiptSender,
        /// Whether the sender waits for the receipt.
        is_urgent: bool,
    },
    /// Run batches that belong together: they are accepted and become durable together.
    RunBatches(Vec<RunBatch>),
    /// The active version of a script has changed.
    Hooks {
        script_id: usize,
        hooks: Vec<EventName>,
        declared: Arc<Declarations>,
        version: Arc<str>,
        /// The version, to be stored; `None` if no version is active.
        stored: Option<Box<StoredVersion>>,
    },
    /// A call of one of a script's routes; the caller waits for the result.
    Request {
        script: ScriptName,
        event: Event,
        reply: ReplySender,
    },
    /// An operator changes values of a script.
    Edit(EditRequest),
    /// The answer to an HTTP request of a run.
    Answered {
        script_id: usize,
        run: RunId,
        answer: Answer,
    },
    /// A text for the operator.
    NotifyOperator(String),
    /// Answered when this message is reached.
    Seen(oneshot::Sender<()>),
    /// A worker has reached a barrier.
    Barrier(u64),
    /// Answered once all workers and the scheduler have done what they were sent before.
    ///
    /// The answer says how much has happened so far.
    Quiesce(oneshot::Sender<u64>),
    /// A new script. Its id is the number of scripts before it.
    Register(Box<Registration>),
    /// A script has received all its recovered work.
    Ready {
        script_id: usize,
    },
    /// A worker has failed, while it was running that script.
    WorkerFailed {
        worker: usize,
        running: Option<usize>,
    },
    /// A script whose worker failed has been rebuilt.
    Rebuilt {
        script_id: usize,
    },
    Due(Due, Millis),
    /// The clock went back, or far ahead.
    Clock {
        before: Millis,
        now: Millis,
    },
    /// The store has applied the correction of a clock that went back.
    ClockCorrected(WentBack),
    Completed(Vec<Completed>),
    /// The number of the oldest batch of the journal, after housekeeping.
    JournalBegins(u64),
    /// A batch is durable. With the batches whose work was released, in order: none while an
    /// earlier batch is not durable.
    Durable(Vec<ReleasedBatch>),
    /// The store has refused a batch, which has to be submitted again.
    NotDurable {
        number: u64,
        batch: Batch,
        error: Error,
    },
    /// Unfinished events of a script that the previous process left.
    Recovered {
        script_id: usize,
        unfinished: Box<Unfinished>,
    },
    /// Events of a lagging script, or the reason why they cannot be read.
    ReadBack {
        script_id: usize,
        /// The position where the read began.
        from: Cursor,
        read: Result<Read, String>,
    },
    /// Answered when every script has handled its events and every action is completed.
    WhenIdle(oneshot::Sender<()>),
    /// Answered when everything that came before is durable, and its actions are in the outbox.
    WhenWritten(oneshot::Sender<()>),
    /// Write what there is, and end.
    Stop(oneshot::Sender<()>),
}

/// A batch that is durable like all before it, and whose work was released.
pub(crate) struct ReleasedBatch {
    pub(crate) number: u64,
    /// The cursors that it has moved, by script.
    pub(crate) cursors: Vec<(usize, u64)>,
}

/// Rows that belong to no event, of an adapter or of a component of the engine.
pub(crate) struct RowsWrite {
    /// The bot or the component.
    pub(crate) source: String,
    /// Why they are written, in a few words.
    pub(crate) reason: &'static str,
    pub(crate) rows: Batch,
}

/// Values of a script that an operator changes.
pub(crate) struct EditRequest {
    pub(crate) script: ScriptName,
    /// The operator.
    pub(crate) by: String,
    pub(crate) writes: Vec<Write>,
    pub(crate) receipt: ReceiptSender,
}

/// A new script, as the sequencer sees it.
pub(crate) struct Registration {
    pub(crate) name: ScriptName,
    pub(crate) worker: usize,
    /// The bots whose events it receives; `None` means all.
    pub(crate) bots: Option<Vec<BotName>>,
    /// Number of its runs that wait for somebody's answer.
    pub(crate) asking: Arc<AtomicUsize>,
    /// The last event that it has processed.
    pub(crate) cursor: Option<u64>,
    /// The hosts that it may send HTTP requests to.
    pub(crate) hosts: Grants,
    pub(crate) limits: Limits,
    /// Number of events that wait for it, which the sequencer publishes.
    pub(crate) waiting_events: Arc<AtomicU64>,
}

/// Steps that a worker hands over together, in order, with all their effects.
pub(crate) struct RunBatch {
    pub(crate) script_id: usize,
    /// The instance of the script that computed it: see [`InstanceSpec::incarnation`].
    pub(crate) incarnation: u32,
    /// The head of the script that it was computed on.
    pub(crate) head: u64,
    pub(crate) script: ScriptVersion,
    /// The steps. Their position of the script in an entry batch is not known here; it is 0.
    pub(crate) runs: Vec<RunRecord>,
    /// The edit that the instance has applied. Such a batch has nothing else.
    pub(crate) edit: Option<u64>,
    /// The last event that the script has processed.
    pub(crate) cursor: Option<u64>,
    /// HTTP requests of runs that began to wait.
    pub(crate) requests: Vec<(RunId, Request)>,
    /// Runs that began to wait (`Some`) or that wait no longer (`None`).
    pub(crate) waits: Vec<(u64, Option<WaitingRun>)>,
    /// Changes of the deferred events.
    pub(crate) deferred: Vec<DeferredChange>,
    /// Versions of the script that no later run batch mentions, unless they are activated again.
    pub(crate) ended: Vec<Arc<str>>,
    pub(crate) number: u64,
    /// The number of the script's last durable run batch.
    pub(crate) durable: Arc<AtomicU64>,
}

impl RunBatch {
    /// Returns an empty run batch: the first one of a script.
    pub(crate) fn first(spec: &InstanceSpec, head: u64, durable: Arc<AtomicU64>) -> Self {
        Self {
            script_id: spec.script_id,
            incarnation: spec.incarnation,
            head,
            script: ScriptVersion { name: spec.name.clone(), version: "".into() },
            runs: Vec::new(),
            edit: None,
            cursor: None,
            requests: Vec::new(),
            waits: Vec::new(),
            deferred: Vec::new(),
            ended: Vec::new(),
            number: 1,
            durable,
        }
    }

    /// Returns an empty run batch: the one after this.
    pub(crate) fn following(&self) -> Self {
        Self {
            script_id: self.script_id,
            incarnation: self.incarnation,
            head: self.next_head(),
            script: self.script.clone(),
            runs: Vec::new(),
            edit: None,
            cursor: None,
            requests: Vec::new(),
            waits: Vec::new(),
            deferred: Vec::new(),
            ended: Vec::new(),
            number: self.number + 1,
            durable: Arc::clone(&self.durable),
        }
    }

    /// Returns the head of the script after this.
    pub(crate) fn next_head(&self) -> u64 {
        self.head + self.runs.len() as u64 + u64::from(self.edit.is_some())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.edit.is_none()
            && self.cursor.is_none()
            && self.waits.is_empty()
            && self.deferred.is_empty()
            && self.ended.is_empty()
    }

    /// Whether anything happens only once this is durable, other than that stored values are.
    pub(crate) fn has_more_to_come(&self) -> bool {
        let is_over = |run: &RunRecord| {
            let effects = &run.effects;
            matches!(run.outcome, RunOutcome::Done)
                && effects.actions.is_empty()
                && effects.timers.is_empty()
                && effects.result.is_none()
        };
        !(self.requests.is_empty() && self.waits.is_empty() && self.runs.iter().all(is_over))
    }
}

/// A task for a worker.
pub(crate) enum Task {
    /// Build the instance of a script.
    Adopt(Box<InstanceSpec>),
    Events {
        script_id: usize,
        events: Vec<(u64, Arc<Event>)>,
    },
    Load {
        script_id: usize,
        source: Box<Source>,
        /// The new value of `config`; `None` keeps the present one.
        config: Option<Value>,
        reason: Reason,
        reply: oneshot::Sender<Result<Vec<String>, Failure>>,
    },
    /// The time limit of a wait is over.
    Wake {
        script_id: usize,
        run: RunId,
    },
    Interrupted {
        script_id: usize,
        seq: u64,
        run: Box<WaitingRun>,
    },
    Resume {
        script_id: usize,
    },
    /// The answer that a run waits for.
    Answer {
        script_id: usize,
        run: RunId,
        answer: Answer,
    },
    /// Apply an edit, and propose it in order with the script's steps.
    Edit {
        script_id: usize,
        id: u64,
        writes: Vec<Write>,
    },
    /// Report when this is reached.
    Barrier(u64),
    /// The clock went back, and the store has been corrected.
    WentBack(WentBack),
    /// Return the lines of a script that have run, and how often.
    Coverage {
        script_id: usize,
        reply: oneshot::Sender<Coverage>,
    },
    /// A message is about to be delivered.
    Gate {
        script_id: usize,
        event: Box<Event>,
        reply: oneshot::Sender<Verdict>,
    },
    /// The script's files are gone.
    Unload {
        script_id: usize,
    },
    /// Unload every script, hand over what there is, and end.
    Stop,
}

/// The parts from which a worker builds the instance of a script.
///
/// The instance itself may not leave the worker's thread.
#[derive(Clone)]
pub(crate) struct InstanceSpec {
    pub(crate) script_id: usize,
    /// The number of instances of the script before it in this process.
    ///
    /// Only what the latest one proposes is accepted.
    pub(crate) incarnation: u32,
    pub(crate) name: ScriptName,
    pub(crate) limits: Limits,
    /// The value that it reads as `config`.
    pub(crate) config: Value,
    /// Its grants: what it may do in addition to answering.
    pub(crate) grants: Vec<String>,
    /// The seed of the random numbers of its runs.
    pub(crate) seed: u64,
    /// Number of its runs that wait for somebody's answer, which it publishes.
    pub(crate) asking: Arc<AtomicUsize>,
    pub(crate) timers: Arc<TimerUsage>,
    /// Its status, which it publishes.
    pub(crate) status: Arc<Published<ScriptStatus>>,
}
