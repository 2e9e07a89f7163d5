//! A step of a run as its record needs it, apart from its outcome.

use palabre_script::{Failure, Input};
use palabre_types::{Answer, EventName, Fault, FunctionCall, Observation, RunId, RunKind};

/// The input of a step, and its observations.
pub(crate) struct ExecutedStep {
    pub(crate) input: Input,
    /// The answer that ended the wait before it.
    pub(crate) answer: Option<Answer>,
    pub(crate) observations: Vec<Observation>,
    /// The functions that were called, if it belongs to the run of another script.
    pub(crate) calls: Vec<FunctionCall>,
    /// Whether a limit or the runtime ended it, instead of its script.
    pub(crate) is_cut_short: bool,
}

impl ExecutedStep {
    /// Creates a step that did not follow a wait, and that its script has ended.
    pub(crate) fn new(input: Input, observations: Vec<Observation>) -> Self {
        Self { input, answer: None, observations, calls: Vec::new(), is_cut_short: false }
    }

    /// Creates a step that the runtime ended before the script ran.
    pub(crate) fn unexecuted(input: Input) -> Self {
        Self { is_cut_short: true, ..Self::new(input, Vec::new()) }
    }

    /// Whether the journal has the event, so that the record does without it.
    pub(crate) fn is_event_journalled(&self) -> bool {
        match self.input.event.kind.name() {
            // The script's worker makes these events, not its owner.
            EventName::Load | EventName::Unload => false,
            EventName::Error => self.input.run.kind == RunKind::Hook,
            name => name.is_journalled(),
        }
    }
}

/// Returns the fault of a step that failed, as its record has it: with its hook and its event.
#[must_use]
pub fn fault_of(failure: Failure, hook: EventName, run: &RunId) -> Fault {
    let mut fault = *failure.fault;
    fault.hook = Some(hook.hook().to_owned());
    fault.event = Some(serde_json::json!({ "kind": hook.as_str(), "id": run.seq.to_string() }));
    fault
}
