//! The entries of the journal: every change of the state is one of them.

use std::borrow::Cow;
use std::sync::Arc;

use palabre_types::{
    Action, ActionKey, Answer, Batch, Effects, Event, EventName, Fault, FunctionCall, MessageId, Millis, Observation,
    RoomId, RunId, ScriptName, Wait, Write,
};
use serde::{Deserialize, Serialize};

use crate::clock_steps::WentBack;
use crate::placement::{Class, Position, Stored};
use crate::rows::{DeadLetter, OutboxRow, WaitingRun};

/// One change of the state.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// An event, with the rows of its adapter.
    Ingress(EventRecord),
    /// Rows that belong to no event.
    Rows(RowsRecord),
    /// One step of a run.
    Step(RunRecord),
    /// Values of a script that an operator changed.
    Edit(EditRecord),
    /// The progress of a script after some steps.
    Progress(Progress),
    /// A message of the runtime itself to the operator.
    Notice(Notice),
    /// The result of an action.
    Action(Box<ActionRecord>),
    /// An event that was given up.
    GivenUp(Box<GivenUp>),
    /// The clock went back: timers that were set while it was ahead move with it.
    WentBack(WentBack),
}

impl Entry {
    /// Returns the rows of an adapter or a component that the entry brings.
    pub const fn rows_mut(&mut self) -> Option<&mut Batch> {
        match self {
            Self::Ingress(record) => Some(&mut record.rows),
            Self::Rows(record) => Some(&mut record.rows),
            _ => None,
        }
    }

    /// Returns the event, if it is one.
    #[must_use]
    pub const fn ingress(&self) -> Option<&EventRecord> {
        if let Self::Ingress(record) = self { Some(record) } else { None }
    }
}

/// An event and the scripts that receive it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its sequence number.
    pub seq: u64,
    /// Positions of the scripts in [`EntryBatch::scripts`](crate::EntryBatch::scripts).
    pub targets: Vec<u16>,
    /// The event.
    pub event: Arc<Event>,
    /// The rows that its adapter writes together with it.
    #[serde(default, skip_serializing_if = "Batch::is_empty")]
    pub rows: Batch,
    /// The script whose pending timer ends with it, unless it repeats an earlier event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<ScriptName>,
}

/// Rows that belong to no event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RowsRecord {
    /// The bot whose adapter writes them, or the component of the engine.
    pub source: String,
    /// Why they are written, in a few words.
    pub reason: Cow<'static, str>,
    /// The rows.
    pub rows: Batch,
}

/// One step of a run: from its start or a wait to its end or the next wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    /// The identity of the step.
    pub run: RunId,
    /// Position of the script in [`EntryBatch::scripts`](crate::EntryBatch::scripts).
    pub script: u16,
    /// The head of the script that it was computed on: the number of steps and edits before it.
    ///
    /// A step is accepted only if that is still the head. Otherwise its event is handled again.
    #[serde(default)]
    pub head: u64,
    /// The hook.
    pub hook: EventName,
    /// The time that the script saw during the step.
    pub now: Millis,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The answer that ended the wait before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Its outcome.
    #[serde(default, skip_serializing_if = "RunOutcome::is_done")]
    pub outcome: RunOutcome,
    /// Whether a limit or the runtime ended it, so that it may end otherwise if it is executed again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut_short: bool,
    /// Its effects.
    #[serde(default)]
    pub effects: Effects,
    /// Its event, if that is not in the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Arc<Event>>,
    /// Its calls of the host interface, with their results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<Observation>,
    /// The functions that were called, if it belongs to the run of another script.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<FunctionCall>,
    /// The indexes of its actions for which the outbox had no room in memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spilled: Vec<Spilled>,
}

/// Values of a script that an operator changed between two of its steps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EditRecord {
    /// The script.
    pub script: ScriptName,
    /// The head of the script before it, as in [`RunRecord::head`].
    pub head: u64,
    /// The operator.
    pub by: String,
    /// The changes.
    pub writes: Vec<Write>,
}

/// An action for which the outbox had no room in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spilled {
    /// Its index among the actions of the step.
    pub index: u32,
    /// The time when it expires.
    pub expires: Option<Millis>,
}

/// The outcome of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The hook returned.
    #[default]
    Done,
    /// The hook waits.
    Waiting(Wait),
    /// The hook raised an error; its effects are empty.
    Failed(Fault),
}

impl RunOutcome {
    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// The progress of a script: what is no longer to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress {
    /// Position of the script in [`EntryBatch::scripts`](crate::EntryBatch::scripts).
    pub script: u16,
    /// The last event that it has processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Runs that began to wait (`Some`) or that wait no longer (`None`), by event.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<(u64, Option<WaitingRun>)>,
    /// Changes of its deferred events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred: Vec<DeferredChange>,
}

/// A change of the deferred events: those of places where the script is suspended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeferredChange {
    /// An event is deferred.
    Put {
        /// The place.
        place: String,
        /// Its sequence number.
        seq: u64,
        /// The event.
        event: Arc<Event>,
    },
    /// A deferred event has been handled.
    Done {
        /// The place.
        place: String,
        /// Its sequence number.
        seq: u64,
    },
}

/// A message of the runtime itself to the operator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notice {
    /// Its key.
    pub key: ActionKey,
    /// The action.
    pub action: Action,
    /// The time when it was requested.
    pub now: Millis,
    /// Set if the outbox had no room for it in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spilled: Option<Spilled>,
}

/// The result of an action of the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActionRecord {
    /// Its position in the journal.
    pub position: Position,
    /// Its key.
    pub key: ActionKey,
    /// Its room.
    pub room: RoomId,
    /// Its class.
    pub class: Class,
    /// The place where it was stored.
    pub stored: Stored,
    /// Whether an attempt at it was recorded before it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub had_begun: bool,
    /// The result.
    pub result: ActionResult,
}

/// The result of an action.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// It was performed; with the id of the new message, unless the adapter can derive it.
    Done(Option<MessageId>),
    /// It was merged into another action, whose outcome counts for both.
    Replaced {
        /// The key of the other action.
        by: ActionKey,
    },
    /// It was not performed, and is not tried again.
    Failed {
        /// The reason.
        reason: String,
        /// The dead letter that it has become, with its number.
        letter: Option<(u64, DeadLetter)>,
    },
    /// It has failed too often for its queue, and is retried separately from here on.
    Chained(OutboxRow),
}

/// An event that was given up, since the daemon or a worker failed at it again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenUp {
    /// The script that was handling it.
    pub script: ScriptName,
    /// Its sequence number, which becomes the cursor of the script.
    pub seq: u64,
    /// The dead letter that it has become, with its number, unless it could not be read.
    pub letter: Option<(u64, DeadLetter)>,
}
