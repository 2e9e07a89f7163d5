//! The state machine of the engine: what each entry of the journal changes.
//!
//! [`apply`] is the only code that turns an entry into rows. It has no clock, no randomness, no
//! channel and no thread, so that a replay of the journal gives the same rows: see [`rebuild`].

mod apply;
mod batch_events;
mod clock_steps;
mod effect;
mod entry;
mod entry_batch;
mod placement;
mod rebuild;
mod rows;
mod tables;
mod timers;

pub use apply::{Applied, Header, KeyMap, State, apply};
pub use batch_events::{BatchEvents, EntryPosition, PackedEvent};
pub use clock_steps::{ClockRow, STEP_BACK_TOLERANCE, WentBack, is_step};
pub use effect::Effect;
pub use entry::{
    ActionRecord, ActionResult, DeferredChange, EditRecord, Entry, EventRecord, GivenUp, Notice, Progress, RowsRecord,
    RunOutcome, RunRecord, Spilled,
};
pub use entry_batch::{EntryBatch, PackedBatch, RequestedAction, ScriptVersion};
pub use placement::{CHAIN_KIND, Class, OutboxKey, Position, Stored, spilled_kind};
pub use rebuild::{RowDifference, rebuild};
pub use rows::{
    DeadLetter, OutboxRow, RecoveryAttempts, RunningTask, TaskRetry, TaskRow, TaskRun, TimerRow, VersionRow, WaitingRun,
};
pub use tables::{
    BEGUN_ATTEMPTS, CLOCK, DEAD_LETTERS, DEFERRED_EVENTS, ENDED_VERSIONS, JOURNAL, LAST_BATCH, LAST_BATCH_KEY, OUTBOX,
    QUEUE_CURSORS, RECOVERY, SCRIPT_CURSORS, SCRIPT_HEADS, SCRIPT_SOURCES, SCRIPT_VERSIONS, SENDERS, SENT_MESSAGES,
    TASK_RUNS, TASKS, TIMERS, WAITING_RUNS, damaged, dead_letters, journal, stored_values, task_runs, unpacked,
    value_key,
};
pub use timers::Timers;
