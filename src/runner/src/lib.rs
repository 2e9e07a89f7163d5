//! The runner: executes the hooks of scripts on worker threads.
//!
//! The owner of the workers starts them ([`Workers::start`]) and gives them [`Task`]s: the scripts to
//! build, their versions, their events in order, answers and wake-ups. The workers execute hooks one
//! step at a time, and propose what the steps did as [`RunBatch`]es through [`Owner`], which journals
//! or refuses them. A script reads its own writes at once, durable or not.
//!
//! Workers read the store and never write it: all effects of a hook are in its run batches.

mod activation;
mod bot_settings;
mod context;
mod declared;
mod gate;
mod hierarchy;
mod instance;
mod instance_spec;
mod owner;
mod peers;
mod places;
mod published;
mod run_batch;
mod script_status;
mod script_store;
mod step;
mod task;
mod timer_usage;
mod worker;
mod workers;

pub use activation::{Activation, StoredVersion};
pub use bot_settings::{BotSettings, Settings};
pub use context::{RunnerContext, own_bot};
pub use declared::Declared;
pub use gate::ScriptsGate;
pub use instance_spec::InstanceSpec;
pub use owner::Owner;
pub use published::Published;
pub use run_batch::RunBatch;
pub use script_status::{ScriptState, ScriptStatus};
pub use step::fault_of;
pub use task::{Task, WINDOW_EVENTS};
pub use timer_usage::{TimerUsage, TimerUsages};
pub use workers::Workers;
