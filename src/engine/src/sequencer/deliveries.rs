//! Completed actions from the outbox, and the scripts that wait for their outcomes.

use palabre_outbox::{Completed, Delivery, PendingAction, Unperformed};
use palabre_runner::Task;
use palabre_state::{ActionRecord, ActionResult, DeadLetter, Entry, Stored};
use palabre_types::{ActionKey, Answer};

use super::Sequencer;
use super::state::State;
use crate::refusals::Refusal;

impl Sequencer {
    /// Handles a completed action, or one that leaves its queue to be retried separately.
    pub(super) fn completed(&mut self, state: &mut State, completed: Completed) {
        let Completed { entry: action, result } = completed;
        state.open.touch(false);
        match action.stored {
            Stored::Journal => {
                state.finish_one(action.position.block);
                // Refused before its batch was closed: no rows of it will come.
                if action.position.block == self.number {
                    state.open.rows_to_come = state.open.rows_to_come.saturating_sub(1);
                }
            }
            Stored::Spilled => {
                state.open.removed.push((action.bot().to_owned(), action.class, action.position));
            }
            Stored::Chain => {}
        }
        match result {
            Delivery::Chained { attempts } => {
                let row = ActionResult::Chained(action.row(attempts));
                self.record(state, &action, row);
            }
            Delivery::Replaced { by } => {
                self.record(state, &action, ActionResult::Replaced { by: by.clone() });
                self.release(state, &action);
                state.outcomes.replaced(action.key, by);
            }
            Delivery::Done(id) => {
                let answer = match &id {
                    id if action.action.kind().creates_object() => {
                        let adapter = self.cx.platforms.adapter(action.bot());
                        let id = id.clone().or_else(|| adapter?.message_id(&action.key));
                        Answer::Text(id.map_or_else(String::new, |id| id.to_string()))
                    }
                    _ => Answer::Text(String::new()),
                };
                self.record(state, &action, ActionResult::Done(id));
                self.release(state, &action);
                self.tell_waiters(state, &action.key, &answer);
            }
            Delivery::Failed(unperformed) => self.unperformed(state, action, unperformed),
        }
    }

    /// Handles an action that failed for good: reports it to its script.
    ///
    /// It also goes to the dead letters, if it might succeed another day.
    fn unperformed(&mut self, state: &mut State, action: PendingAction, unperformed: Unperformed) {
        let Unperformed { reason, is_dead_letter } = unperformed;
        let letter = is_dead_letter.then(|| {
            let (key, of, requested) = (action.key.clone(), action.action.clone(), action.requested);
            let at = self.cx.clock.now();
            (self.cx.assign_seq(), DeadLetter::Action { key, action: of, requested, reason: reason.clone(), at })
        });
        self.record(state, &action, ActionResult::Failed { reason: reason.clone(), letter });
        self.release(state, &action);
        let is_awaited = self.tell_waiters(state, &action.key, &Answer::Failed(reason.clone()));
        let (kind, room) = (action.action.kind(), action.action.room().clone());
        let refusal = Refusal { script: action.key.script, action: kind, room, reason };
        self.report_refused(state, action.key.run.seq, refusal, is_awaited);
    }

    /// Adds the result of an action to the open batch.
    fn record(&mut self, state: &mut State, action: &PendingAction, result: ActionResult) {
        let is_over = !matches!(result, ActionResult::Chained(_) | ActionResult::Replaced { .. });
        let record = ActionRecord {
            position: action.position,
            key: action.key.clone(),
            room: action.action.room().clone(),
            class: action.class,
            stored: action.stored,
            had_begun: is_over && action.is_at_most_once(),
            result,
        };
        self.append(state, Entry::Action(Box::new(record)));
    }

    /// Gives an action's share of the quota back, and tells its interaction that it is over.
    fn release(&self, state: &mut State, action: &PendingAction) {
        self.outbox.bot(action.bot()).release(action.bytes);
        let over = state.interactions.acted(action.key.run.seq);
        self.notify_finished(over);
    }

    /// Passes the outcome of an action to the runs that wait for it. Returns whether there are any.
    fn tell_waiters(&self, state: &mut State, key: &ActionKey, answer: &Answer) -> bool {
        let waiters = state.outcomes.record(key.clone(), answer);
        let is_awaited = !waiters.is_empty();
        for (script_id, run) in waiters {
            self.send_to_worker(script_id, Task::Answer { script_id, run, answer: answer.clone() });
        }
        is_awaited
    }
}
