//! Observations of a step, and the functions that another script calls in it.

use palabre_types::{FunctionCall, Observation, value_weight};
use serde_json::Value;

use super::Run;
use crate::reply::Problem;

impl Run {
    /// Returns what the step has observed, and forgets it.
    pub(crate) fn take_observations(&self) -> Vec<Observation> {
        self.recording.take()
    }

    /// Forgets what the step has observed: it is dropped with its effects.
    pub(crate) fn forget_observations(&self) {
        self.recording.clear();
    }

    /// Counts what the step has observed as output: it is in the host's memory, and written to disk.
    pub(crate) fn spend_observations(&mut self) -> Result<(), Problem> {
        match self.recording.take_bytes() {
            0 => Ok(()),
            bytes => self.spend_output(bytes),
        }
    }

    /// Whether what the step has observed is more than a run may output.
    pub(crate) fn observes_too_much(&self) -> bool {
        self.recording.is_full()
    }

    /// Records that another script has called a function of this one.
    pub(crate) fn record_call(&mut self, function: &str, arguments: &Value) -> Result<(), Problem> {
        self.spend_observations()?;
        self.spend_output(function.len() + value_weight(arguments))?;
        self.calls.push(FunctionCall { function: function.to_owned(), arguments: arguments.clone() });
        Ok(())
    }

    /// Returns the functions that another script has called.
    pub(crate) fn take_calls(&mut self) -> Vec<FunctionCall> {
        std::mem::take(&mut self.calls)
    }
}
