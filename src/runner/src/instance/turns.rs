//! Decides what a script does next: answers and gates, deferred events, or events of the queue.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use palabre_platform::Verdict;
use palabre_script::{Called, Failure, Limit, Step, Vm};
use palabre_state::{DeferredChange, RunOutcome, WaitingRun, WentBack};
use palabre_types::{Answer, Effects, Event, EventKind, Millis, RoomId, RunId, RunKind, UserId, Wait};

use super::{Ran, ScriptInstance, Turn, guarded, millis};
use crate::peers::Call;
use crate::places::{SUSPENSION_MAX, place_of};
use crate::step::ExecutedStep;
use crate::task::WINDOW_EVENTS;

/// Queue length at which events of suspended places are deferred, for what may come after them.
const QUEUE_LEN_BEFORE_DEFERRAL: usize = WINDOW_EVENTS / 2;
/// Maximum number of deferred events that are read at once.
const DEFERRED_BATCH_MAX: usize = 64;
/// Delay before a script reads the store again after a failure, in milliseconds.
const STORE_RETRY_DELAY: Millis = 500;

impl ScriptInstance {
    /// Works until there is nothing to do, or `enough` returns true.
    ///
    /// A suspended script takes no events.
    pub(crate) fn work(&mut self, mut enough: impl FnMut(usize) -> bool) {
        let mut done = 0;
        // Calls of other scripts are handed over before the next run begins.
        while !enough(done) && self.calls.is_empty() && self.has_work() {
            done += 1;
            match self.next_turn() {
                Some(Turn::TimeUp { run }) => self.answered_by(run, Answer::TimeUp),
                Some(Turn::Answer { run, answer }) => self.answered_by(run, answer),
                Some(Turn::Gate { event, reply }) => {
                    let verdict = self.gate(*event);
                    // The caller may be gone.
                    drop(reply.send(verdict));
                }
                None => self.next_event(),
            }
        }
    }

    /// Handles the next event: a deferred one whose turn it is, or else one of the queue.
    fn next_event(&mut self) {
        if self.has_retries() {
            return self.retry();
        }
        let Some((seq, event)) = self.queue.pop_front() else { return };
        match place_of(&event).filter(|place| self.places.waits(Some(place))) {
            None => {
                if self.run_event(seq, &event) {
                    self.run_batch.cursor = Some(seq);
                } else {
                    self.queue.push_front((seq, event));
                }
            }
            Some(place) => {
                let waits = |(_, event): &(u64, Arc<Event>)| self.places.waits(place_of(event).as_ref());
                // With no other events after it, it may as well wait in the queue.
                if self.queue.len() < QUEUE_LEN_BEFORE_DEFERRAL && self.queue.iter().all(waits) {
                    self.queue.push_front((seq, event));
                    self.is_stuck = true;
                } else {
                    self.places.defer(&place);
                    self.run_batch.deferred.push(DeferredChange::Put { place: place.to_string(), seq, event });
                    self.run_batch.cursor = Some(seq);
                }
            }
        }
    }

    pub(super) fn has_retries(&self) -> bool {
        !self.retries.is_empty() || (!self.is_waiting_for_deferred && self.places.next_with_deferred().is_some())
    }

    /// Tries the next deferred event.
    fn retry(&mut self) {
        if self.retries.is_empty() {
            let Some((place, done_through)) = self.places.next_with_deferred() else { return };
            match self.store.deferred_events(&place, done_through, DEFERRED_BATCH_MAX) {
                Ok(events) => {
                    self.retries.extend(events.into_iter().map(|(seq, event)| (Arc::clone(&place), seq, event)));
                }
                Err(error) => {
                    tracing::error!(script = %self.name, "cannot read its deferred events, which wait: {error}");
                }
            }
            if self.retries.is_empty() {
                // They are not durable yet, or cannot be read.
                self.is_waiting_for_deferred = true;
                self.cx.owner.resume_at(self.now() + STORE_RETRY_DELAY, self.index);
            }
            return;
        }
        let Some((place, seq, event)) = self.retries.pop_front() else { return };
        if !self.run_event(seq, &event) {
            return self.retries.push_front((place, seq, event));
        }
        self.places.done_deferred(&place, seq);
        self.run_batch.deferred.push(DeferredChange::Done { place: place.to_string(), seq });
        // If the script is suspended there again, the other events stay deferred.
        if let Some((next, ..)) = self.retries.front()
            && self.places.next_with_deferred().is_none_or(|(place, _)| place != *next)
        {
            self.retries.clear();
        }
    }

    /// Returns the next work before events; while the script is blocked, only gates.
    fn next_turn(&mut self) -> Option<Turn> {
        if !self.is_waiting_for_store && !self.is_throttled() {
            return self.turns.pop_front();
        }
        let gate = self.turns.iter().position(|turn| matches!(turn, Turn::Gate { .. }))?;
        self.turns.remove(gate)
    }

    /// Leaves everything as it is until the store can be read again.
    fn wait_for_store(&mut self) {
        self.is_waiting_for_store = true;
        self.cx.owner.resume_at(self.now() + STORE_RETRY_DELAY, self.index);
    }

    /// Runs the hook for an event. Returns false if it is not done: the store cannot be read.
    fn run_event(&mut self, seq: u64, event: &Arc<Event>) -> bool {
        let _span = tracing::debug_span!("run", script = %self.name, seq).entered();
        if let Some((run, answer)) = self.answered(event) {
            return self.wake(run, answer);
        }
        let input = self.input(Arc::clone(event), RunId::hook(seq, 0));
        let Some(version) = &self.current else { return true };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        let vm = Rc::clone(&version.vm);
        let (step, observations) = guarded(&vm, |vm| vm.start(input.clone()));
        // The event is not done, however the script handled the error.
        if self.peers.was_unreadable() {
            self.peers.end_calls(false);
            self.wait_for_store();
            return false;
        }
        self.finish_step(step, ExecutedStep::new(input, observations), &ran);
        true
    }

    /// Returns the run that waits for this event, and the answer that the event gives it.
    fn answered(&self, event: &Event) -> Option<(u64, Answer)> {
        if self.asking.load(Relaxed) == 0 {
            return None;
        }
        let (room, user) = (&event.room.as_ref()?.id, &event.user.as_ref()?.id);
        let here = |there: &RoomId, who: &UserId| there == room && who == user;
        // The oldest question first.
        let mut runs: Vec<_> = self.waiting.iter().collect();
        runs.sort_unstable_by_key(|(seq, _)| **seq);
        runs.into_iter().find_map(|(seq, waiting)| {
            let text = match (&waiting.wait, &event.kind) {
                (Wait::Ask { room, user, .. }, EventKind::Message { message }) if here(room, user) => {
                    message.content.text.clone()
                }
                (Wait::Choose { room, user, choices, .. }, kind) if here(room, user) => {
                    let chosen = choices.iter().find(|(action, label)| match kind {
                        EventKind::Button { action: pressed, .. } => pressed == action,
                        EventKind::Message { message } => message.content.text.trim().eq_ignore_ascii_case(label),
                        _ => false,
                    });
                    chosen?.0.clone()
                }
                _ => return None,
            };
            Some((*seq, Answer::Text(text)))
        })
    }

    /// Ends a wait with an answer or its timeout, whichever came first.
    fn answered_by(&mut self, run: RunId, answer: Answer) {
        let is_waiting = self.waiting.get(&run.seq).is_some_and(|waiting| waiting.run == run);
        if is_waiting && !self.wake(run.seq, answer.clone()) {
            self.turns.push_front(Turn::Answer { run, answer });
        }
    }

    /// Runs `before_message` for a message to be delivered. If it fails, the message passes.
    fn gate(&mut self, event: Event) -> Verdict {
        let run = RunId::hook(self.cx.assign_seq(), 0);
        let input = self.input(Arc::new(event), run);
        let Some(version) = self.current.as_ref().filter(|_| !self.is_suspended) else { return Verdict::Pass };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        let vm = Rc::clone(&version.vm);
        let (step, observations) = guarded(&vm, |vm| vm.start(input.clone()));
        let mut executed = ExecutedStep::new(input, observations);
        // Nothing is accepted while the store cannot be read, so the message goes nowhere either
        // way.
        let _seen = self.peers.was_unreadable();
        match step {
            Step::Done(mut effects) => {
                let verdict = verdict_of(effects.result.take());
                self.finish_step(Step::Done(effects), executed, &ran);
                verdict
            }
            Step::Waiting(..) => {
                let failure = Failure::new("before_message cannot wait: the room waits for it");
                executed.is_cut_short = true;
                self.finish_step(Step::Failed(Box::new(failure)), executed, &ran);
                Verdict::Pass
            }
            failed @ Step::Failed(_) => {
                self.finish_step(failed, executed, &ran);
                Verdict::Pass
            }
        }
    }

    /// Takes the calls of other scripts' functions.
    pub(crate) fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// Records the effects of a call of this script's function.
    pub(crate) fn record_call(&mut self, call: Call) {
        let hash = self.version();
        let Called { effects, calls, observations } = call.called;
        let executed = ExecutedStep { calls, ..ExecutedStep::new(call.input, observations) };
        self.record(executed, RunOutcome::Done, effects, &hash);
    }

    /// Resumes a run that waited.
    ///
    /// Returns false if it has to wait on because the store cannot be read: a step after a wait
    /// cannot be run again.
    fn wake(&mut self, seq: u64, answer: Answer) -> bool {
        let _span = tracing::debug_span!("run", script = %self.name, seq).entered();
        if !self.store.is_readable() {
            self.wait_for_store();
            return false;
        }
        let Some(waiting) = self.waiting.remove(&seq) else { return true };
        self.cx.owner.cancel_wake(self.index, waiting.run.clone());
        self.count_asking();
        self.run_batch.waits.push((seq, None));
        let input = self.input(Arc::clone(&waiting.event), waiting.run.next_step());
        let (step, executed) = if input.now >= waiting.ran.started.saturating_add(millis(self.limits.wall())) {
            let limit = Limit::Wall(self.limits.wall());
            let failure = Failure { limit: Some(limit.clone()), ..Failure::new(limit.to_string()) };
            (Step::Failed(Box::new(failure)), ExecutedStep::unexecuted(input))
        } else {
            let owner = self.current.iter().chain(&self.retired).find(|version| version.id == waiting.ran.version);
            match owner {
                Some(version) => {
                    let vm = Rc::clone(&version.vm);
                    let resume = |vm: &mut Vm| vm.resume(waiting.coroutine, &answer, input.clone());
                    let (step, observations) = guarded(&vm, resume);
                    (step, ExecutedStep::new(input, observations))
                }
                None => {
                    let failure = Failure::new("interrupted: the script's VM had to be replaced");
                    (Step::Failed(Box::new(failure)), ExecutedStep::unexecuted(input))
                }
            }
        };
        // The script has handled the error, or ended with it.
        let _seen = self.peers.was_unreadable();
        let answer = answer.for_the_record();
        let is_cut_short = executed.is_cut_short || answer.is_incomplete();
        self.finish_step(step, ExecutedStep { answer: Some(answer), is_cut_short, ..executed }, &waiting.ran);
        self.retired.retain(|old| self.waiting.values().any(|waiting| waiting.ran.version == old.id));
        true
    }

    /// Ends a run that waited when the daemon went down: it cannot be resumed; `on_error` is run.
    pub(crate) fn interrupted(&mut self, seq: u64, run: WaitingRun) {
        let event = Arc::new(run.event);
        let hook = event.kind.name();
        self.run_batch.waits.push((seq, None));
        let mut fault =
            *Failure::new(format!("interrupted: the daemon was restarted while {} waited", hook.hook())).fault;
        fault.hook = Some(hook.hook().to_owned());
        // In place of the step after the wait, whose number no step with effects has.
        let run_id = RunId { kind: RunKind::Interrupted, ..RunId::hook(seq, run.step).next_step() };
        let input = self.input(event, run_id);
        let hash = self.version();
        let executed = ExecutedStep::unexecuted(input.clone());
        self.record(executed, RunOutcome::Failed(fault.clone()), Effects::default(), &hash);
        self.run_on_error(&input, fault);
    }

    /// Corrects times after the clock went back: what began while it was ahead counts from now on.
    pub(crate) fn went_back(&mut self, back: &WentBack) {
        self.store.went_back(back);
        self.suspended_until = self.suspended_until.min(back.now + SUSPENSION_MAX);
        for waiting in self.waiting.values_mut() {
            waiting.ran.started = waiting.ran.started.min(back.now);
        }
    }

    /// Ends suspensions that are over, and tries again after the store could not be read.
    pub(crate) fn resume(&mut self) {
        let now = self.now();
        self.places.wake(now);
        (self.is_waiting_for_store, self.is_stuck, self.is_waiting_for_deferred) = (false, false, false);
        self.is_suspended = self.is_suspended && self.now() < self.suspended_until;
        self.post(None);
    }
}

/// Interprets the result of `before_message`: false and a reason, a text, or nothing.
fn verdict_of(result: Option<serde_json::Value>) -> Verdict {
    let Some(serde_json::Value::Array(values)) = result else { return Verdict::Pass };
    match (values.first(), values.get(1)) {
        (Some(serde_json::Value::Bool(false)), reason) => {
            let reason = reason.and_then(|reason| reason.as_str()).unwrap_or("this message is not allowed here");
            Verdict::Refuse(reason.to_owned())
        }
        (Some(serde_json::Value::String(text)), _) => Verdict::Change(text.clone()),
        _ => Verdict::Pass,
    }
}
