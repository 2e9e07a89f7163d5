//! Messages to the sequencer, with their payloads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use palabre_fetch::Grants;
use palabre_outbox::Completed;
use palabre_platform::EmitError;
use palabre_runner::{Activation, RunBatch};
use palabre_state::WentBack;
use palabre_store::Error;
use palabre_types::{Answer, Batch, BotName, Event, Limits, Millis, RunId, ScriptName, Write};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::backlog::{Cursor, Read, Unfinished};
use crate::scheduler::Due;

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
    Activated(Activation),
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
