//! The outcome of a step: its effects, or its failure and the suspension that may follow.

use std::rc::Rc;
use std::sync::Arc;

use palabre_script::{Failure, Input, Limit, Step};
use palabre_state::{RunOutcome, RunRecord, WaitingRun};
use palabre_types::{Change, Effects, Event, EventKind, EventName, Fault, Millis, Wait};

use super::{Ran, ScriptInstance, Version, Waiting, guarded, millis, next_seed};
use crate::peers::Call;
use crate::places::{FAILURES_IN_A_ROW, place_of, suspension_time};
use crate::step::{ExecutedStep, fault_of};

impl ScriptInstance {
    pub(super) fn finish_step(&mut self, step: Step, executed: ExecutedStep, ran: &Ran) {
        let is_kept = self.is_kept(&step);
        self.end_calls(&executed.input, is_kept);
        match step {
            Step::Done(effects) => {
                self.failures = 0;
                let was_suspended = self.places.is_suspended();
                self.places.succeeded(place_of(&executed.input.event).as_ref());
                if was_suspended {
                    self.post(None);
                }
                self.record(executed, RunOutcome::Done, effects, &ran.hash);
            }
            Step::Waiting(..) if !is_kept => {
                let limit = Limit::Runs(self.limits.concurrent_runs);
                let failure = Failure { limit: Some(limit.clone()), ..Failure::new(limit.to_string()) };
                self.fail(executed, ran, failure);
            }
            Step::Waiting(effects, wait, coroutine) => {
                let input = executed.input.clone();
                let wait = wait.ending_by(ran.started.saturating_add(millis(self.limits.wall())));
                self.cx.owner.wake_at(wait.until(), self.index, input.run.clone());
                let recorded = wait.for_the_record();
                if let Wait::Http { request, .. } = &wait {
                    self.run_batch.requests.push((input.run.clone(), request.clone()));
                }
                let event = Event::clone(&input.event);
                let row = WaitingRun { wait: recorded.clone(), since: input.now, event, step: input.run.step };
                self.run_batch.waits.push((input.run.seq, Some(row)));
                self.record(executed, RunOutcome::Waiting(recorded), effects, &ran.hash);
                let Input { event, run, .. } = input;
                let seq = run.seq;
                self.waiting.insert(seq, Waiting { coroutine, ran: ran.clone(), event, run, wait });
                self.count_asking();
            }
            Step::Failed(failure) => self.fail(executed, ran, *failure),
        }
    }

    /// Whether the effects of a step are kept: it is done, or waits and may do so.
    pub(super) fn is_kept(&self, step: &Step) -> bool {
        match step {
            Step::Done(_) => true,
            Step::Waiting(..) => self.waiting.len() < self.limits.concurrent_runs,
            Step::Failed(_) => false,
        }
    }

    /// Ends the calls of a step: keeps their effects, or discards them.
    pub(super) fn end_calls(&mut self, input: &Input, is_kept: bool) {
        let called = self.peers.end_calls(is_kept).into_iter().map(|(script, run, called)| {
            let input = Input { run, ..input.clone() };
            Call { script, input, called }
        });
        self.calls.extend(called);
    }

    pub(super) fn fail(&mut self, mut executed: ExecutedStep, ran: &Ran, failure: Failure) {
        let input = executed.input.clone();
        let hook = input.event.kind.name();
        let (is_tainted, is_rate) = (failure.is_tainted, failure.limit.as_ref().is_some_and(Limit::is_rate));
        let limit = failure.limit.as_ref().map(Limit::name);
        tracing::warn!(script = %self.name, hook = hook.hook(), event = input.run.seq, "{failure}");
        executed.is_cut_short |= is_tainted || limit.is_some();
        let fault = fault_of(failure, hook, &input.run);
        self.record(executed, RunOutcome::Failed(fault.clone()), Effects::default(), &ran.hash);
        self.cx.owner.count(&self.name, "failure");
        if let Some(limit) = limit {
            self.cx.owner.count(&self.name, limit);
        }
        self.post(Some(fault.message.clone()));
        if is_tainted {
            self.replace_vm();
        }
        // Anyone who can send requests must not be able to suspend the script.
        if !is_rate && hook != EventName::Request {
            self.failures += 1;
            let place = place_of(&input.event);
            // If it fails in one place alone, it is suspended there, and the others are served.
            if let Some(place) = &place
                && let Some(pause) = self.places.failed(place, input.now)
            {
                self.announce_suspension(pause, &format!(" in {place}"), &fault.message);
            }
            if self.failures >= FAILURES_IN_A_ROW && (place.is_none() || self.places.fails_everywhere()) {
                self.suspend(&fault.message);
            }
        }
        if hook != EventName::Error {
            self.run_on_error(&input, fault);
        }
    }

    /// Runs `on_error`, if there is one, as a separate step.
    pub(super) fn run_on_error(&mut self, input: &Input, fault: Fault) {
        let Some(version) = self.current.as_ref().filter(|version| version.vm.borrow().has_hook(EventName::Error))
        else {
            return;
        };
        let vm = Rc::clone(&version.vm);
        let event = Event { kind: EventKind::Error { error: fault }, ..Event::clone(&input.event) };
        let seed = next_seed(&mut self.seeds);
        let input = Input { event: Arc::new(event), run: input.run.on_error(), seed, ..input.clone() };
        let hash = Arc::clone(&version.hash);
        let (step, observations) = guarded(&vm, |vm| vm.start(input.clone()));
        self.end_calls(&input, matches!(step, Step::Done(_)));
        match step {
            Step::Done(effects) => {
                self.record(ExecutedStep::new(input, observations), RunOutcome::Done, effects, &hash);
            }
            Step::Waiting(..) => tracing::warn!(script = %self.name, "on_error cannot wait; its effects are dropped"),
            Step::Failed(failure) => tracing::warn!(script = %self.name, "on_error failed too: {failure}"),
        }
    }

    fn replace_vm(&mut self) {
        let Some(old) = self.current.take() else { return };
        match self.build(&old.source) {
            Ok((vm, row)) => {
                self.versions += 1;
                self.peers.set(&self.name, Some(Rc::clone(&vm)));
                let hash = row.hash();
                let is_other = hash != old.hash;
                self.current = Some(Version { id: self.versions, hash, row, vm, ..old });
                if is_other {
                    self.replaced(&old.hash);
                    // It read something else while it loaded, which its steps may depend on.
                    self.cx.owner.activated(self.activation());
                }
                tracing::warn!(script = %self.name, "its tainted VM was replaced; module variables are reset");
            }
            Err(failure) => {
                tracing::error!(script = %self.name, "its VM had to be replaced; the new one does not load: {failure}");
                self.post(Some(failure.to_string()));
            }
        }
    }

    fn suspend(&mut self, why: &str) {
        let pause = suspension_time(self.suspensions);
        self.suspensions += 1;
        // After the suspension one more failure is enough.
        self.failures = FAILURES_IN_A_ROW - 1;
        self.is_suspended = true;
        self.suspended_until = self.now() + pause;
        self.announce_suspension(pause, "", why);
    }

    /// Schedules the end of a suspension, and notifies the operator.
    fn announce_suspension(&self, pause: Millis, place: &str, why: &str) {
        self.cx.owner.resume_at(self.now() + pause, self.index);
        let seconds = pause / 1_000;
        let what =
            format!("suspended for {seconds} s after {FAILURES_IN_A_ROW} failures in a row{place}; the last: {why}");
        tracing::error!(script = %self.name, "{what}");
        self.cx.owner.count(&self.name, "suspension");
        self.cx.owner.notify_operator(format!("The script {} is {what}", self.name));
        self.post(None);
    }

    /// Records a step. One without effects leaves no record: the cursor has passed its event.
    pub(super) fn record(&mut self, executed: ExecutedStep, outcome: RunOutcome, effects: Effects, hash: &Arc<str>) {
        if self.run_batch.script.version != *hash {
            let done = self.seal();
            self.sealed.extend(done);
            self.run_batch.script.version = Arc::clone(hash);
        }
        for write in &effects.writes {
            if let Change::Set { value, .. } = &write.change {
                self.run_batch_bytes += write.key.len() + value.len();
            }
            self.store.apply(&write.key, &write.change, self.run_batch.number);
        }
        let event = (!executed.is_event_journalled()).then(|| Arc::clone(&executed.input.event));
        let ExecutedStep { input, answer, observations, calls, is_cut_short } = executed;
        let hook = input.event.kind.name();
        let is_awaited = matches!(hook, EventName::Task | EventName::Request);
        let is_start = input.run.hook_step() == Some(0);
        if outcome == RunOutcome::Done && effects == Effects::default() && is_start && !is_awaited {
            return;
        }
        self.run_batch.runs.push(RunRecord {
            run: input.run,
            script: 0,
            head: self.run_batch.next_head(),
            hook,
            now: input.now,
            seed: input.seed,
            answer,
            outcome,
            is_cut_short,
            effects,
            spilled: Vec::new(),
            event,
            observations,
            calls,
        });
    }
}
