//! Completed actions from the outbox, and the scripts that wait for their outcomes.

use palabre_script::Answer;
use palabre_types::Millis;

use super::Sequencer;
use super::state::State;
use crate::message::Task;
use crate::outbox::entry::{Completed, Delivery, Entry, Stored};
use crate::tables::{BEGUN_ATTEMPTS, OUTBOX, SENDERS, SENT_MESSAGES};

/// Retention of the platform's ids of sent messages, in milliseconds.
const SENT_RETENTION: Millis = 7 * 86_400_000;

impl Sequencer {
    /// Handles a completed action, or one that leaves its queue to be retried separately.
    pub(super) fn completed(&mut self, state: &mut State, completed: Completed) {
        let Completed { entry, result } = completed;
        let room = entry.action.room().clone();
        state.open.touch(false);
        self.remove_from_queue(state, &entry);
        let bot = self.outbox.bot(room.bot());
        let result = match result {
            Delivery::Chained { attempts } => {
                OUTBOX.put(&mut state.open.batch, &entry.row_key(Stored::Chain), &entry.row(attempts));
                return;
            }
            Delivery::Replaced { by } => {
                bot.release(entry.bytes);
                let over = state.interactions.acted(entry.key.run.seq);
                self.notify_finished(over);
                return state.outcomes.replaced(entry.key, by);
            }
            Delivery::Done(id) => Ok(id),
            Delivery::Failed(unperformed) => Err(unperformed),
        };
        if entry.is_at_most_once() {
            BEGUN_ATTEMPTS.delete(&mut state.open.batch, &entry.position.key());
        }
        bot.release(entry.bytes);
        let over = state.interactions.acted(entry.key.run.seq);
        self.notify_finished(over);
        let kind = entry.action.kind();
        let answer = match &result {
            Ok(id) if kind.creates_object() => {
                let adapter = self.cx.platforms.adapter(room.bot());
                let id = id.clone().or_else(|| adapter?.message_id(&entry.key));
                Answer::Text(id.map_or_else(String::new, |id| id.to_string()))
            }
            Ok(_) => Answer::Text(String::new()),
            Err(unperformed) => Answer::Failed(unperformed.reason.clone()),
        };
        let waiters = state.outcomes.record(entry.key.clone(), &answer);
        let is_awaited = !waiters.is_empty();
        for (script_id, run) in waiters {
            self.send_to_worker(script_id, Task::Answer { script_id, run, answer: answer.clone() });
        }
        match result {
            Ok(None) => {}
            Ok(Some(id)) => {
                let (batch, until) = (&mut state.open.batch, Some(self.cx.clock.now() + SENT_RETENTION));
                SENT_MESSAGES.put_until(batch, &entry.key.to_string(), &id.to_string(), until);
                SENDERS.put_until(batch, &(room.to_string(), id.to_string()), &entry.key.to_string(), until);
            }
            Err(unperformed) => self.unperformed(state, entry, unperformed, is_awaited),
        }
    }

    /// Records that an entry is no longer where it was stored.
    fn remove_from_queue(&self, state: &mut State, entry: &Entry) {
        let room = entry.action.room();
        match entry.stored {
            Stored::Journal => state.finish_one(entry.position.block),
            Stored::Spilled => {
                OUTBOX.delete(&mut state.open.batch, &entry.row_key(Stored::Spilled));
                state.open.removed.push((entry.bot().to_owned(), entry.class, entry.position));
            }
            Stored::Chain => {
                OUTBOX.delete(&mut state.open.batch, &entry.row_key(Stored::Chain));
                return;
            }
        }
        state.open.queue_cursors.insert((room.clone(), entry.class), entry.position);
    }
}
