//! Handles of actions, as scripts hold them: the fields of the action key apart from the script.

use mlua::{FromLua, IntoLua, Lua, Value as LuaValue};
use palabre_types::RunId;

/// The step of a run in a handle. The sequence number is a field of its own.
///
/// It is a number for a hook's run, which needs no allocation, and a text for any other run.
pub(crate) struct HandleStep(RunId);

impl HandleStep {
    /// Returns the step of a run.
    pub(crate) const fn of(run: RunId) -> Self {
        Self(run)
    }

    /// Returns the run of the event with a sequence number.
    pub(crate) fn run(self, seq: f64) -> RunId {
        RunId { seq: seq as u64, ..self.0 }
    }
}

impl IntoLua for HandleStep {
    fn into_lua(self, lua: &Lua) -> mlua::Result<LuaValue> {
        match self.0.hook_step() {
            Some(step) => step.into_lua(lua),
            None => self.0.step_text().to_string().into_lua(lua),
        }
    }
}

impl FromLua for HandleStep {
    fn from_lua(value: LuaValue, lua: &Lua) -> mlua::Result<Self> {
        match value {
            LuaValue::String(text) => {
                let run = RunId::with_step_text(0, &text.to_str()?);
                run.map(Self).ok_or_else(|| mlua::Error::runtime("this is not a handle of an action"))
            }
            other => u32::from_lua(other, lua).map(|step| Self(RunId::hook(0, step))),
        }
    }
}
