//! Adds entries to the open batch: each is applied at once, and its effects inside the process follow.

use palabre_state::{Effect, Entry, EventRecord, Header, apply};
use palabre_types::Op;

use super::Sequencer;
use super::state::State;
use crate::scheduler::Due;

impl Sequencer {
    /// Applies an entry, and adds it to the open batch. Returns the number of effects.
    ///
    /// Changes of tables that are not journalled are applied with it, and left out of the journal.
    pub(super) fn append(&mut self, state: &mut State, mut entry: Entry) -> usize {
        let Some(rows) = entry.rows_mut().filter(|rows| !rows.is_journalled()) else {
            return self.append_journalled(state, entry);
        };
        let journalled = rows.journalled();
        let mut whole = std::mem::replace(rows, journalled);
        if whole.requires.is_empty() {
            whole.ops.retain(|op| !op.is_journalled());
            let is_empty = matches!(&entry, Entry::Rows(record) if record.rows.is_empty());
            let count = if is_empty { 0 } else { self.append_journalled(state, entry) };
            state.open.applied.rows.append(whole);
            return count;
        }
        // The conditions hold for both parts, or for none.
        let count = self.append_journalled(state, entry);
        if let Some(Op::Conditional(part)) = state.open.applied.rows.ops.last_mut() {
            *part = whole;
        }
        count
    }

    fn append_journalled(&mut self, state: &mut State, entry: Entry) -> usize {
        let open = &mut state.open;
        let at = *open.at.get_or_insert_with(|| self.cx.clock.now());
        apply(&mut self.machine, Header { number: self.number, at }, &open.scripts, &entry, &mut open.applied);
        if let Entry::Ingress(EventRecord { timer: Some(script), .. }) = &entry {
            self.timer_usages.publish(script, &self.machine.timers);
        }
        let effects = std::mem::take(&mut open.applied.effects);
        open.entries.push(entry);
        let count = effects.len();
        self.perform(effects);
        count
    }

    /// Performs effects inside the process.
    fn perform(&self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Arm { script, key, due } => {
                    self.timer_usages.publish(&script, &self.machine.timers);
                    self.cx.scheduler.at(due, Due::Timer { script, key });
                }
                Effect::Disarm { script, key } => {
                    self.timer_usages.publish(&script, &self.machine.timers);
                    self.cx.scheduler.cancel(Due::Timer { script, key });
                }
            }
        }
    }
}
