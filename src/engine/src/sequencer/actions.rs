//! Actions of runs on their way to the outbox.
//!
//! Those of local adapters are handed over at once, so that the rows that an adapter writes for
//! them share the commit of the run. The others follow once their batch is durable.

use palabre_outbox::{PendingAction, expiry, size};
use palabre_state::{Class, Entry, EntryBatch, Notice, Position, RunRecord, Spilled};
use palabre_types::{Action, ActionKey, EventName, Millis};

use super::Sequencer;
use super::state::State;

impl Sequencer {
    /// Adds a step of a run to the open batch, and hands the actions of local adapters over.
    pub(super) fn add_step(&mut self, state: &mut State, mut step: RunRecord) {
        let first = self.machine.next_action(self.number);
        let mut local = Vec::new();
        for (index, action) in (0..).zip(&step.effects.actions) {
            let position = Position { index: first.index + index, ..first };
            step.spilled.extend(self.place(state, position, index, action, (step.hook, step.now), &mut local));
        }
        self.append(state, Entry::Step(step));
        self.hand_over(state, local);
    }

    /// Adds a message of the runtime itself to the operator.
    pub(super) fn add_notice(&mut self, state: &mut State, key: ActionKey, action: Action) {
        let (position, now) = (self.machine.next_action(self.number), self.cx.clock.now());
        let (mut local, requested) = (Vec::new(), (key, action));
        self.outbox.bot(requested.1.room().bot()).reserve(size(&requested.1));
        let spilled = self.place(state, position, 0, &requested, (EventName::Error, now), &mut local);
        let (key, action) = requested;
        self.append(state, Entry::Notice(Notice { key, action, now, spilled }));
        self.hand_over(state, local);
    }

    /// Decides where an action waits: in memory, or as a row if there is no room.
    fn place(
        &self,
        state: &mut State,
        position: Position,
        index: u32,
        requested: &(ActionKey, Action),
        (hook, now): (EventName, Millis),
        local: &mut Vec<PendingAction>,
    ) -> Option<Spilled> {
        let (room, class) = (requested.1.room(), Class::of(&requested.1));
        let bot = self.outbox.bot(room.bot());
        let answers_expire = bot.limits().answers_expire;
        let is_first = bot.is_idle(room, class);
        if !bot.admit(room, class) {
            state.open.spilled.push((room.clone(), class));
            return Some(Spilled { index, expires: expiry(class, hook, now, answers_expire) });
        }
        if let Some(adapter) = self.cx.platforms.adapter(room.bot()).filter(|adapter| adapter.is_local()) {
            // Those behind it come when it is durable, or together with it.
            state.open.rows_to_come += usize::from(is_first && adapter.commits_with_run(&requested.1));
            local.push(PendingAction::new(position, requested.clone(), (hook, now, answers_expire)));
        }
        None
    }

    fn hand_over(&self, state: &mut State, actions: Vec<PendingAction>) {
        if !actions.is_empty() {
            *state.outstanding.entry(self.number).or_default() += actions.len();
            self.outbox.push(actions);
        }
    }

    /// Returns the other actions of a batch that wait in memory.
    pub(super) fn to_outbox(&self, number: u64, batch: EntryBatch) -> Vec<PendingAction> {
        let actions = (0..).zip(batch.into_actions());
        let in_memory = actions.filter(|(_, requested)| !requested.is_spilled).filter_map(|(index, requested)| {
            let bot = requested.action.1.room().bot();
            if self.cx.platforms.adapter(bot).is_some_and(|adapter| adapter.is_local()) {
                return None;
            }
            let requested_by = (requested.hook, requested.now, self.outbox.bot(bot).limits().answers_expire);
            Some(PendingAction::new(Position { block: number, index }, requested.action, requested_by))
        });
        in_memory.collect()
    }
}
