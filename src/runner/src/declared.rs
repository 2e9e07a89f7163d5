//! The declarations of all scripts, which their owner publishes.

use std::sync::Arc;

use palabre_script::RouteSpec;
use palabre_types::{CommandSpec, ScriptName};

/// The declarations of all scripts.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// All commands, by name.
    pub commands: Arc<Vec<(ScriptName, CommandSpec)>>,
    /// All HTTP routes.
    pub routes: Vec<(ScriptName, RouteSpec)>,
    /// The ids of the scripts that see messages before they are delivered.
    pub gates: Vec<usize>,
}
