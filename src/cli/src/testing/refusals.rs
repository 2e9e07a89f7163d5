//! Refused actions during a test: requested and expected ones, and those that make the test fail.

use palabre_engine::Refusal;
use palabre_sim::Sim;
use palabre_types::{ActionError, ActionKind};
use serde_json::Value;

#[derive(Default)]
pub(super) struct Refusals {
    /// The kinds of actions that the test makes the platform refuse.
    refusing: Vec<ActionKind>,
    /// The refusals that the test has not expected so far.
    unexpected: Vec<Refusal>,
}

impl Refusals {
    /// Records the refusals since the last call.
    pub(super) fn record(&mut self, refusals: Vec<Refusal>) {
        let refusing = &self.refusing;
        self.unexpected.extend(refusals.into_iter().filter(|refusal| !refusing.contains(&refusal.action)));
    }

    /// Makes the platform refuse a kind of actions.
    pub(super) fn refuse(&mut self, sim: &Sim, question: &Value) -> Result<(), String> {
        let kind = action(question)?;
        let reason = question["reason"].as_str().unwrap_or("the test says so");
        sim.refuse(kind, Some(ActionError::Forbidden(reason.to_owned())));
        self.refusing.push(kind);
        Ok(())
    }

    /// Makes the platform perform a kind of actions again.
    pub(super) fn allow(&mut self, sim: &Sim, question: &Value) -> Result<(), String> {
        let kind = action(question)?;
        sim.refuse(kind, None);
        self.refusing.retain(|refused| *refused != kind);
        Ok(())
    }

    /// Marks one refusal as expected, and returns its reason.
    pub(super) fn expect(&mut self, question: &Value) -> Result<String, String> {
        let kind = action(question)?;
        let part = question["part"].as_str().unwrap_or_default().to_lowercase();
        let is_it = |refusal: &Refusal| refusal.action == kind && refusal.reason.to_lowercase().contains(&part);
        if let Some(index) = self.unexpected.iter().position(is_it) {
            return Ok(self.unexpected.remove(index).reason);
        }
        let others = self.unexpected.iter().map(|other| format!("{}: {}", other.action, other.reason));
        let others = others.collect::<Vec<_>>().join("; ");
        let there = if others.is_empty() { "nothing was".to_owned() } else { format!("there is {others}") };
        let of_reason = if part.is_empty() { String::new() } else { format!(" for \"{part}\"") };
        Err(format!("no {kind} was refused{of_reason}; {there}"))
    }

    /// Returns an error for the first unexpected refusal.
    pub(super) fn unexpected(&self) -> Option<String> {
        let Refusal { script, action, room, reason } = self.unexpected.first()?;
        Some(format!(
            "an action of {script} was refused: {action} in {room}: {reason} (if that is intended, call \
             t:expect_refused(\"{action}\") after it)"
        ))
    }
}

/// Returns the kind of action of a question.
fn action(question: &Value) -> Result<ActionKind, String> {
    let name = question["action"].as_str().unwrap_or_default();
    let found = ActionKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
    found.ok_or_else(|| {
        let known: Vec<_> = ActionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("unknown action \"{name}\", expected one of {}", known.join(", "))
    })
}
