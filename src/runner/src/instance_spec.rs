//! The parts from which a worker builds the instance of a script.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use palabre_types::{Limits, ScriptName};
use serde_json::Value;

use crate::published::Published;
use crate::script_status::ScriptStatus;
use crate::timer_usage::TimerUsage;

/// The parts from which a worker builds the instance of a script.
///
/// The instance itself may not leave the worker's thread.
#[derive(Clone)]
pub struct InstanceSpec {
    /// The id of the script.
    pub script_id: usize,
    /// The number of instances of the script before it in this process.
    ///
    /// Only what the latest one proposes is accepted.
    pub incarnation: u32,
    /// The name of the script.
    pub name: ScriptName,
    /// Its limits.
    pub limits: Limits,
    /// The value that it reads as `config`.
    pub config: Value,
    /// Its grants: what it may do in addition to answering.
    pub grants: Vec<String>,
    /// The seed of the random numbers of its runs.
    pub seed: u64,
    /// Number of its runs that wait for somebody's answer, which it publishes.
    pub asking: Arc<AtomicUsize>,
    /// The number and size of its pending timers, which the owner publishes.
    pub timers: Arc<TimerUsage>,
    /// Its status, which it publishes.
    pub status: Arc<Published<ScriptStatus>>,
}
