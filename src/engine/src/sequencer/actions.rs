//! Actions of runs on their way to the outbox.
//!
//! Those of local adapters are handed over at once, so that the rows that an adapter writes for
//! them share the commit of the run. The others follow once their batch is durable.

use palabre_types::{Action, ActionKey, Batch, EventName, Millis, RoomId};

use super::Sequencer;
use super::state::State;
use crate::entry_batch::{EntryBatch, RunRecord};
use crate::outbox::entry::{Class, Entry, Stored};
use crate::rows::Position;
use crate::tables::OUTBOX;

impl Sequencer {
    /// Adds a step to the open batch, and hands the actions of local adapters over.
    pub(super) fn add_step(&self, state: &mut State, step: RunRecord) {
        let mut entries = Vec::new();
        for (key, action) in &step.effects.actions {
            let position = Position { block: self.number, index: state.open.actions };
            state.open.actions += 1;
            let Some(adapter) = self.cx.platforms.adapter(action.room().bot()).filter(|adapter| adapter.is_local())
            else {
                continue;
            };
            state.open.rows_to_come += usize::from(adapter.commits_with_run(action));
            let open = &mut state.open;
            let requested = (key.clone(), action.clone());
            entries.extend(self.admit(position, requested, (step.hook, step.now), &mut open.spilled, &mut open.batch));
        }
        if !entries.is_empty() {
            *state.outstanding.entry(self.number).or_default() += entries.len();
            self.outbox.push(entries);
        }
        state.open.runs.push(step);
    }

    /// Turns the other actions of a batch into outbox entries.
    pub(super) fn to_outbox(
        &self,
        number: u64,
        block: EntryBatch,
        spilled: &mut Vec<(RoomId, Class)>,
        batch: &mut Batch,
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        let requested = block.runs.into_iter().flat_map(|run| {
            let requested = (run.hook, run.now);
            run.effects.actions.into_iter().map(move |action| (requested, action))
        });
        for (index, (requested, action)) in (0..).zip(requested) {
            let adapter = self.cx.platforms.adapter(action.1.room().bot());
            if adapter.is_none_or(|adapter| !adapter.is_local()) {
                entries.extend(self.admit(Position { block: number, index }, action, requested, spilled, batch));
            }
        }
        entries
    }

    /// Returns the entry of an action; without room for it in memory, it becomes a row.
    fn admit(
        &self,
        position: Position,
        action: (ActionKey, Action),
        (hook, at): (EventName, Millis),
        spilled: &mut Vec<(RoomId, Class)>,
        batch: &mut Batch,
    ) -> Option<Entry> {
        let bot = self.outbox.bot(action.1.room().bot());
        let entry = Entry::new(position, action, (hook, at, bot.limits.answers_expire));
        if bot.admit(entry.action.room(), entry.class) {
            return Some(entry);
        }
        OUTBOX.put(batch, &entry.row_key(Stored::Spilled), &entry.row(0));
        spilled.push((entry.action.room().clone(), entry.class));
        None
    }
}
