//! Results: run batches from workers, and completed actions from the outbox.

use palabre_script::{Refused, Wait};

use super::*;
use crate::instance::DeferredChange;
use crate::outbox::Unperformed;
use crate::places::Place;
use crate::refusals::Refusal;
use crate::script_store::is_call;
use crate::tables::DEFERRED_EVENTS;

impl Sequencer {
    pub(super) fn apply_run_batch(&mut self, state: &mut State, run_batch: RunBatch) {
        // Before the runs, one of which may wait again.
        for (seq, _) in run_batch.waits.iter().filter(|(_, waiting)| waiting.is_none()) {
            state.outcomes.wait_is_over(run_batch.script_id, *seq);
        }
        let open = &mut state.open;
        open.touch(run_batch.has_more_to_come());
        let script = open.script(&run_batch.script.name, &run_batch.script.version);
        for mut run in run_batch.runs {
            run.script = script;
            if !is_call(run.part) {
                state.outcomes.wait_is_over(run_batch.script_id, run.seq);
            }
            ended(state, &mut self.tasks, &run, self.clock.now());
            let open = &mut state.open;
            let metrics = std::mem::take(&mut run.effects.metrics);
            open.metrics.extend(metrics.into_iter().map(|metric| (run_batch.script.name.clone(), metric)));
            for Refused { key, action, room, reason, is_asked } in &run.effects.refused {
                state.outcomes.record(key.clone(), &Answer::Failed(reason.clone()));
                let (script, room, reason) = (key.script.clone(), room.clone(), reason.clone());
                self.report_refused(state, key.seq, Refusal { script, action: *action, room, reason }, *is_asked);
            }
            let open = &mut state.open;
            if let RunOutcome::Waiting(Wait::Delivery { key, .. }) = &run.outcome {
                let waiter = (run_batch.script_id, run.seq, run.part);
                open.answers.extend(state.outcomes.wait(key, waiter).map(|answer| (waiter, answer)));
            }
            for (key, action) in &run.effects.actions {
                state.interactions.acts(key.seq);
                self.outbox.bot(action.room().bot()).reserve(size(action));
            }
            for change in &run.effects.timers {
                self.timers.apply(&run_batch.script.name, change, run.now, &mut open.batch);
            }
            open.runs.push(run);
        }
        let open = &mut state.open;
        for (seq, part, request) in run_batch.requests {
            let hosts = self.routes.get(run_batch.script_id).map(|route| Arc::clone(&route.hosts)).unwrap_or_default();
            open.fetches.push(Fetch { waiter: (run_batch.script_id, seq, part), request, hosts });
        }
        match open.writes.entry(run_batch.script_id) {
            std::collections::hash_map::Entry::Vacant(place) => drop(place.insert(run_batch.writes)),
            std::collections::hash_map::Entry::Occupied(mut place) => place.get_mut().extend(run_batch.writes),
        }
        for change in run_batch.deferred {
            let key = |place: &Place, seq| (run_batch.script.name.to_string(), place.to_string(), seq);
            match change {
                DeferredChange::Put { place, seq, event } => {
                    DEFERRED_EVENTS.put(&mut open.batch, &key(&place, seq), &event);
                }
                DeferredChange::Done { place, seq } => DEFERRED_EVENTS.delete(&mut open.batch, &key(&place, seq)),
            }
        }
        for (seq, waiting) in run_batch.waits {
            state.interactions.waits(seq, run_batch.script_id, waiting.is_some());
            let key = (run_batch.script.name.to_string(), seq);
            match waiting {
                Some(run) => WAITING_RUNS.put(&mut open.batch, &key, &run),
                None => WAITING_RUNS.delete(&mut open.batch, &key),
            }
        }
        open.run_batches.push((run_batch.durable, run_batch.number));
        let Some(route) = self.routes.get_mut(run_batch.script_id) else { return };
        route.version = run_batch.script.version;
        if let Some(cursor) = run_batch.cursor {
            open.advanced.insert(run_batch.script_id);
            // An event that is not journalled has a sequence number too, and does not move the
            // cursor back.
            route.cursor = Some(route.cursor.map_or(cursor, |old| old.max(cursor)));
            while let Some((seq, block, bytes)) = route.window.front().copied()
                && seq <= cursor
            {
                route.window.pop_front();
                route.window_bytes -= bytes;
                finish_one(&mut state.outstanding, block);
            }
            if !state.interactions.is_empty() {
                let over = state.interactions.passed(run_batch.script_id, cursor);
                self.notify_finished(over);
            }
        }
    }

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
                let over = state.interactions.acted(entry.key.seq);
                self.notify_finished(over);
                return state.outcomes.replaced(entry.key, by);
            }
            Delivery::Done(id) => Ok(id),
            Delivery::Failed(unperformed) => Err(unperformed),
        };
        bot.release(entry.bytes);
        let over = state.interactions.acted(entry.key.seq);
        self.notify_finished(over);
        let kind = entry.action.kind();
        let answer = match &result {
            Ok(id) if kind.creates_object() => {
                let adapter = self.outbox.platforms.adapter(room.bot());
                let id = id.clone().or_else(|| adapter?.message_id(&entry.key));
                Answer::Text(id.map_or_else(String::new, |id| id.to_string()))
            }
            Ok(_) => Answer::Text(String::new()),
            Err(unperformed) => Answer::Failed(unperformed.reason.clone()),
        };
        let waiters = state.outcomes.record(entry.key.clone(), &answer);
        let is_awaited = !waiters.is_empty();
        for (script_id, seq, part) in waiters {
            self.send_to_worker(script_id, Task::Answer { script_id, seq, part, answer: answer.clone() });
        }
        match result {
            Ok(None) => {}
            Ok(Some(id)) => {
                let (batch, until) = (&mut state.open.batch, Some(self.clock.now() + SENT_RETENTION));
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
            Stored::Journal => finish_one(&mut state.outstanding, entry.position.block),
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

    /// Handles an action that failed for good: reports it to its script.
    ///
    /// It also goes to the dead letters, if it might succeed another day.
    fn unperformed(&mut self, state: &mut State, entry: Entry, unperformed: Unperformed, is_awaited: bool) {
        let refusal = Refusal {
            script: entry.key.script.clone(),
            action: entry.action.kind(),
            room: entry.action.room().clone(),
            reason: unperformed.reason.clone(),
        };
        let about = entry.key.seq;
        if unperformed.is_dead_letter {
            let (key, action, at) = (entry.key, entry.action, self.clock.now());
            let letter = DeadLetter::Action { key, action, reason: unperformed.reason, at };
            let number = self.seq.fetch_add(1, Relaxed);
            DEAD_LETTERS.put(&mut state.open.batch, &number, &letter);
        }
        self.report_refused(state, about, refusal, is_awaited);
    }

    /// Reports an action that was not performed to the log and to the script's `on_error`.
    ///
    /// `on_error` does not run if a run waits for the outcome.
    fn report_refused(&mut self, state: &mut State, about: u64, refusal: Refusal, is_awaited: bool) {
        let Refusal { script, action, room, reason } = refusal.clone();
        self.outbox.platforms.refusals.record(refusal);
        self.metrics.count(&script, "unperformed action");
        let message = format!("{action} in {room}: {reason}");
        let now = self.clock.now();
        let (since, count) = state.faults.entry(script.clone()).or_insert((now, 0));
        if now.saturating_sub(*since) >= 60_000 || now < *since {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        match *count {
            ..=FAULTS_PER_MINUTE => tracing::warn!(script = %script, "an action was not performed: {message}"),
            count if count == FAULTS_PER_MINUTE + 1 => {
                tracing::warn!(
                    script = %script,
                    "more than {FAULTS_PER_MINUTE} actions were not performed in a minute; more are not reported"
                );
                return;
            }
            _ => return,
        }
        let hooked = self.routes.iter().any(|route| route.name == script && route.hooks.contains(&EventName::Error));
        if is_awaited || !hooked || state.fault_events.contains(&about) {
            return;
        }
        let error = Fault {
            message,
            traceback: None,
            hook: None,
            action: Some(action.to_string()),
            event: Some(serde_json::json!({ "id": about.to_string() })),
        };
        let event = self.own_event(Some(named_by_id(&room)), EventKind::Error { error });
        if let Some(seq) = self.emit(state, event, Batch::default(), None, Some(&script)) {
            state.fault_events.push_back(seq);
            if state.fault_events.len() > FAULT_EVENTS_MAX {
                state.fault_events.pop_front();
            }
        }
    }
}

/// Handles the end of a run that a caller waits for, or that belongs to a task.
fn ended(state: &mut State, tasks: &mut TaskBook, run: &RunRecord, now: Millis) {
    if is_call(run.part) {
        return;
    }
    let error = match &run.outcome {
        RunOutcome::Waiting(_) => return,
        RunOutcome::Done => None,
        RunOutcome::Failed(fault) => Some(fault.message.as_str()),
    };
    if run.hook == EventName::Task {
        tasks.ended(run.seq, error, now, &mut state.open.batch);
    }
    if run.hook == EventName::Request
        && let Some(reply) = state.asked.remove(&run.seq)
    {
        let result = match error {
            None => Ok(run.effects.result.clone().unwrap_or_default()),
            Some(problem) => Err(problem.to_owned()),
        };
        state.open.replies.push((reply, result));
    }
}
