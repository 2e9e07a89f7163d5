//! The engine: journal, dispatch of events to scripts, outbox, timers, and their supervision.
//!
//! A hook is a transaction: its event is journalled, and everything that it does is committed at
//! once or not at all.
//!
//! The path of an event: [`EventSink::emit`](palabre_platform::EventSink) hands it to the *sequencer*,
//! which numbers it, adds it to the open entry batch and passes it to the *workers* of the scripts
//! that subscribe to it. They run hooks and propose run batches. Once an entry batch is durable,
//! its receipts are answered and its actions go to the *outbox*. Workers and outbox are crates of
//! their own, and know the engine as [`palabre_runner::Owner`] and [`palabre_outbox::DeliverySink`].

mod backlog;
mod clock_watch;
mod context;
mod dead_letters;
mod edits;
mod engine;
mod housekeeping;
mod http;
mod idempotency;
mod interactions;
mod listener;
mod message;
mod metrics;
mod offline_batch;
mod open_batch;
mod operators;
mod pending_waits;
mod platforms;
mod read_back;
mod rebuild;
mod recovery;
mod reexecute;
mod refusals;
mod reload;
mod route;
mod router;
mod scheduler;
mod sequencer;
mod sink;
mod start_commit;
mod status;
mod stored_versions;
mod supervisor;
mod tasks;
mod versions;
mod watched_folder;
mod worker_link;

pub use dead_letters::{DeadLetterError, drop_dead_letters, retry_dead_letters};
pub use edits::{EditError, ValueChange, edit_stored};
pub use engine::Engine;
pub use engine::options::{EngineError, Options, ScriptSetup};
pub use engine::start::PreparedEngine;
pub use http::{Http, Web};
pub use operators::Operators;
pub use palabre_outbox::OutboxLimits;
pub use palabre_platform::{Fatal, ThreadStatus};
pub use palabre_runner::{BotSettings, ScriptState, ScriptStatus, StoredVersion};
pub use palabre_state::{
    DeadLetter, EditRecord, Entry, EntryBatch, EventRecord, Position, RowDifference, RunOutcome, RunRecord,
    ScriptVersion, TaskRun, VersionRow, dead_letters, journal, rebuild, stored_values, task_runs,
};
pub use reexecute::journal::{Difference, Mismatch, reexecute_journal};
pub use reexecute::rows::MemoryRows;
pub use reexecute::{NotReexecuted, Reexecuted, Reexecution};
pub use refusals::Refusal;
pub use reload::ScriptWatch;
pub use status::{BotState, BotStatus, Status};
pub use versions::stored_version;
