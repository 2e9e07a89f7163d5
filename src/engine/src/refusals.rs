//! The last actions that were not performed, for tests of scripts and for operators.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use palabre_types::{ActionKind, RoomId, ScriptName};

/// Maximum number of refusals that are kept; older ones are in the log only.
const REFUSALS_MAX: usize = 256;

/// An action that was not performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The script that requested it.
    pub script: ScriptName,
    /// The kind of action.
    pub action: ActionKind,
    /// The room.
    pub room: RoomId,
    /// The reason.
    pub reason: String,
}

/// The last refusals, the oldest first.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    pub(crate) fn record(&self, refusal: Refusal) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == REFUSALS_MAX {
            known.pop_front();
        }
        known.push_back(refusal);
    }

    /// Returns and forgets the refusals since the last call.
    pub(crate) fn take(&self) -> Vec<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}
