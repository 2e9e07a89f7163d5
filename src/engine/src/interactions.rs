//! Tracks commands and components whose users wait for an answer.
//!
//! Once every run and action of an interaction is over, its platform is notified: nobody then waits
//! for a script that says nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use palabre_types::{Event, EventKind};

/// Maximum number of tracked interactions; the platforms themselves forget them after a while.
const INTERACTIONS_MAX: usize = 10_000;

/// Interactions with unfinished runs or actions, by the sequence number of their event.
#[derive(Default)]
pub(crate) struct Interactions {
    open: BTreeMap<u64, Interaction>,
}

struct Interaction {
    event: Arc<Event>,
    /// The scripts that have not processed the event yet.
    runs: HashSet<usize>,
    /// The scripts with a run that waits.
    waiting: HashSet<usize>,
    /// Number of actions that are not completed.
    actions: usize,
}

impl Interactions {
    /// Tracks an event if somebody waits for an answer to it. Returns it if no script receives it.
    pub(crate) fn begin(
        &mut self,
        seq: u64,
        event: &Arc<Event>,
        script_ids: impl FnOnce() -> HashSet<usize>,
    ) -> Option<Arc<Event>> {
        let (EventKind::Command { interaction: Some(_), .. }
        | EventKind::Button { interaction: Some(_), .. }
        | EventKind::Select { interaction: Some(_), .. }
        | EventKind::Form { interaction: Some(_), .. }) = &event.kind
        else {
            return None;
        };
        let script_ids = script_ids();
        if script_ids.is_empty() {
            return Some(Arc::clone(event));
        }
        let begun = Interaction { event: Arc::clone(event), runs: script_ids, waiting: HashSet::new(), actions: 0 };
        self.open.insert(seq, begun);
        if self.open.len() > INTERACTIONS_MAX {
            self.open.pop_first();
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Records that a run of the event requested an action.
    pub(crate) fn acts(&mut self, seq: u64) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.actions += 1;
        }
    }

    /// Records that an action is completed. Returns the event if its interaction is over.
    pub(crate) fn acted(&mut self, seq: u64) -> Option<Arc<Event>> {
        let open = self.open.get_mut(&seq)?;
        open.actions = open.actions.saturating_sub(1);
        self.finished(seq)
    }

    /// Records whether a run of a script waits.
    pub(crate) fn waits(&mut self, seq: u64, script_id: usize, is_waiting: bool) {
        if let Some(open) = self.open.get_mut(&seq) {
            if is_waiting {
                open.waiting.insert(script_id);
            } else {
                open.waiting.remove(&script_id);
            }
        }
    }

    /// Records that a script has processed all events up to its cursor.
    ///
    /// Returns the events of interactions that are over.
    pub(crate) fn passed(&mut self, script_id: usize, cursor: u64) -> Vec<Arc<Event>> {
        let passed: Vec<u64> = self.open.range(..=cursor).map(|(seq, _)| *seq).collect();
        let mut over = Vec::new();
        for seq in passed {
            if let Some(open) = self.open.get_mut(&seq) {
                open.runs.remove(&script_id);
            }
            over.extend(self.finished(seq));
        }
        over
    }

    fn finished(&mut self, seq: u64) -> Option<Arc<Event>> {
        let open = self.open.get(&seq)?;
        let is_over = open.runs.is_empty() && open.waiting.is_empty() && open.actions == 0;
        is_over.then(|| self.open.remove(&seq).map(|open| open.event)).flatten()
    }
}
