//! Calls from other scripts, within their runs.

use std::sync::Arc;

use mlua::{Function, MultiValue, Value as LuaValue};
use palabre_types::{Effects, FunctionCall, Observation};
use serde_json::Value;

use super::{Step, Vm};
use crate::host_api::Input;
use crate::limits::VALUE_BYTES;
use crate::value;

/// The calls of a script's functions within one run of another script.
#[derive(Debug, Default)]
pub struct Called {
    /// Their effects.
    pub effects: Effects,
    /// The calls. When one fails, the effects so far are dropped, and with them it and those before it.
    pub calls: Vec<FunctionCall>,
    /// The observations of the functions.
    pub observations: Vec<Observation>,
}

impl Vm {
    /// Calls a function that the script exports, within another script's run.
    ///
    /// Its effects stay in this VM until that run is [finished](Vm::finish_call) or dropped. It cannot wait.
    ///
    /// # Errors
    /// Returns the error that it raised, or that there is no such function.
    pub fn call(&mut self, function: &str, arguments: &Value, input: Input) -> Result<Value, String> {
        let exported: Option<Function> = self.exports.raw_get(function).map_err(|error| error.to_string())?;
        let exported = exported.ok_or_else(|| format!("the script exports no {function}"))?;
        if !self.run.borrow().is_of(&input) {
            self.run.borrow_mut().begin(input);
        }
        let list = arguments.as_array().map(Vec::as_slice).unwrap_or_default();
        let values = list.iter().map(|value| value::to_lua(&self.lua, value)).collect::<mlua::Result<MultiValue>>();
        let watch = Arc::clone(&self.watch);
        let armed = self.ticker.arm(&watch);
        let outcome = values.and_then(|values| exported.call::<LuaValue>(values));
        drop(armed);
        let (failed, is_expired) = (self.run.borrow().has_tripped(), self.watch.is_expired());
        let recorded = match &outcome {
            Ok(_) if !failed && !is_expired => self.run.borrow_mut().record_call(function, arguments),
            _ => Ok(()),
        };
        match outcome {
            Ok(result) if !failed && !is_expired && recorded.is_ok() => value::from_lua(&result, VALUE_BYTES),
            outcome => {
                let error = outcome.err().unwrap_or_else(|| mlua::Error::runtime(""));
                let step = self.failed(&error);
                self.run.borrow().forget_observations();
                match step {
                    Step::Failed(failure) => Err(failure.to_string()),
                    _ => Err("the call failed".to_owned()),
                }
            }
        }
    }

    /// Returns all calls within one run of another script, with their effects.
    pub fn finish_call(&mut self) -> Called {
        let mut run = self.run.borrow_mut();
        let (calls, observations) = (run.take_calls(), run.take_observations());
        Called { effects: run.finish(), calls, observations }
    }

    /// Drops the effects of the calls within one run of another script.
    pub fn drop_call(&mut self) {
        let mut run = self.run.borrow_mut();
        let _tripped = run.discard();
        run.forget_observations();
    }
}
