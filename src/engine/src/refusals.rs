//! The last actions that were not done, for tests of scripts and for operators who ask.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use palabre_model::{ActionKind, RoomId, ScriptName};

/// So many are remembered; older ones are in the log alone.
const REMEMBERED: usize = 256;

/// An action that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The script that wanted it.
    pub script: ScriptName,
    /// What.
    pub action: ActionKind,
    /// Where.
    pub room: RoomId,
    /// Why not.
    pub reason: String,
}

/// The last refusals, the oldest first.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    pub(crate) fn note(&self, refusal: Refusal) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REMEMBERED {
            known.pop_front();
        }
        known.push_back(refusal);
    }

    /// Those since the last time that somebody asked.
    pub(crate) fn take(&self) -> Vec<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}
