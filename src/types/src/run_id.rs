//! Identities of the steps of runs.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::ids::ScriptName;

/// The character that begins the caller in the text of a step, and an escape within its name.
const ESCAPE: char = '~';

/// The identity of one step of a run, among all steps of its script.
///
/// It is the same whenever the step is repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId {
    /// The event's sequence number.
    pub seq: u64,
    /// The reason why the script runs.
    #[serde(default, skip_serializing_if = "RunKind::is_hook")]
    pub kind: RunKind,
    /// The number of the step: 0 at first, and one more after each wait.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u32,
}

/// The reason why a script runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// A hook handles the event.
    #[default]
    Hook,
    /// The script's `on_error` reports the failure of the step.
    Error,
    /// Functions of the script are called during the step of another script.
    ///
    /// All calls during that step are one run, directly from it or by way of further scripts. A step
    /// of a hook and the `on_error` that reports its failure have the same number, but only one of
    /// them keeps its calls.
    Call {
        /// The script whose own step it is.
        caller: ScriptName,
    },
    /// The run waited when the daemon ended, so the step did not happen.
    Interrupted,
}

impl RunKind {
    const fn is_hook(&self) -> bool {
        matches!(self, Self::Hook)
    }
}

impl RunId {
    /// Creates the identity of a step of a hook's run.
    #[must_use]
    pub const fn hook(seq: u64, step: u32) -> Self {
        Self { seq, kind: RunKind::Hook, step }
    }

    /// Parses the text of a step, as [`RunId::step_text`] returns it.
    #[must_use]
    pub fn with_step_text(seq: u64, text: &str) -> Option<Self> {
        let (kind, step) = if let Some(step) = text.strip_prefix('e') {
            (RunKind::Error, step)
        } else if let Some(step) = text.strip_prefix('i') {
            (RunKind::Interrupted, step)
        } else if let Some(call) = text.strip_prefix('c') {
            let (step, caller) = call.split_once(ESCAPE)?;
            (RunKind::Call { caller: unescaped(caller)?.into() }, step)
        } else {
            (RunKind::Hook, text)
        };
        Some(Self { seq, kind, step: step.parse().ok()? })
    }

    /// Returns the text of the step, which contains no dot: `3`, `e3`, `i3` or `c3~caller`.
    #[must_use]
    pub fn step_text(&self) -> impl fmt::Display {
        StepText(self)
    }

    /// Returns the identity of the step after the wait with which this one ends.
    #[must_use]
    pub fn next_step(&self) -> Self {
        Self { step: self.step.saturating_add(1), ..self.clone() }
    }

    /// Returns the identity of the `on_error` that reports the failure of the step.
    #[must_use]
    pub const fn on_error(&self) -> Self {
        Self { seq: self.seq, kind: RunKind::Error, step: self.step }
    }

    /// Returns the identity of the calls of another script that `caller` makes during the step.
    ///
    /// Within a call, it is that of the call: a script that is called twice during one step, once
    /// directly and once by way of another, has one run.
    #[must_use]
    pub fn call(&self, caller: &ScriptName) -> Self {
        match &self.kind {
            RunKind::Call { .. } => self.clone(),
            RunKind::Hook | RunKind::Error | RunKind::Interrupted => {
                Self { seq: self.seq, kind: RunKind::Call { caller: caller.clone() }, step: self.step }
            }
        }
    }

    /// Whether the step belongs to the run of another script.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        matches!(self.kind, RunKind::Call { .. })
    }

    /// Returns the number of the step if it belongs to a hook's own run.
    #[must_use]
    pub const fn hook_step(&self) -> Option<u32> {
        if self.kind.is_hook() { Some(self.step) } else { None }
    }
}

/// Writes the step of a run.
struct StepText<'a>(&'a RunId);

impl fmt::Display for StepText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.0.step;
        match &self.0.kind {
            RunKind::Hook => write!(f, "{step}"),
            RunKind::Error => write!(f, "e{step}"),
            RunKind::Interrupted => write!(f, "i{step}"),
            RunKind::Call { caller } => {
                write!(f, "c{step}{ESCAPE}")?;
                write_escaped(f, caller.as_str())
            }
        }
    }
}

/// Writes a script's name without dots. Names in a script.yaml have none, but others may.
fn write_escaped(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    for c in name.chars() {
        match c {
            '.' => write!(f, "{ESCAPE}-")?,
            ESCAPE => write!(f, "{ESCAPE}{ESCAPE}")?,
            other => f.write_char(other)?,
        }
    }
    Ok(())
}

fn unescaped(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        name.push(match c {
            ESCAPE => match chars.next()? {
                '-' => '.',
                ESCAPE => ESCAPE,
                _ => return None,
            },
            other => other,
        });
    }
    Some(name)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}
