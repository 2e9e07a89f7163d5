//! Executes steps of runs again, from what the journal records of them.
//!
//! Module variables are a cache, so each run has a VM of its own. A script that keeps state in them does
//! something else than its record says.

pub(crate) mod journal;
pub(crate) mod rows;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use palabre_runner::{StoredVersion, fault_of};
use palabre_script::{
    Divergence, Failure, HostApi, HostRows, Input, Replaying, Source, Step, SuspendedRun, Ticker, Vm,
};
use palabre_state::{RunOutcome, RunRecord, VersionRow};
use palabre_types::{Effects, Event, EventName, Limits, Millis, ScriptName};

/// CPU time of a step. The machine may be slower now, and steps that a limit ended are not executed.
const CPU_TIME_MAX: Duration = Duration::from_secs(60);

/// A run that is executed again, from its first step on.
pub struct Reexecution {
    vm: Vm,
    host: Rc<Replaying>,
    /// The time from the run's start to its end.
    wall: Duration,
    /// The time when the run began.
    started: Option<Millis>,
    suspended: Option<SuspendedRun>,
}

/// The result of a step that was executed again, in the form of its record.
#[derive(Debug, Clone, PartialEq)]
pub struct Reexecuted {
    /// Its outcome.
    pub outcome: RunOutcome,
    /// Its effects.
    pub effects: Effects,
}

/// The reason why a step could not be executed again.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotReexecuted {
    /// The version does not load.
    #[error("its version does not load: {0}")]
    NotLoaded(String),
    /// The step before it was not executed.
    #[error("it follows a wait, but the step before it was not executed")]
    NotWaiting,
    /// The step reads something that its record does not have, or does not read what it has.
    #[error(transparent)]
    Diverged(#[from] Divergence),
}

impl Reexecution {
    /// Loads a version of a script into a new VM.
    ///
    /// # Errors
    /// If it does not load, or reads something else than it did.
    pub fn load(script: &ScriptName, version: &StoredVersion, ticker: &Ticker) -> Result<Self, NotReexecuted> {
        let VersionRow { limits, grants, observations, .. } = &version.row;
        let source = Source::from_stored(script, version.files.clone());
        let source = source.map_err(|error| NotReexecuted::NotLoaded(error.to_string()))?;
        let cpu_ms = u64::try_from(CPU_TIME_MAX.as_millis()).unwrap_or(u64::MAX);
        let unhurried = Limits { cpu_ms, cpu_s_per_minute: u32::MAX, ..limits.clone() };
        let host = Rc::new(Replaying::new(grants.clone(), observations.clone()));
        let vm = Vm::build(&source, &unhurried, &version.config, Rc::clone(&host) as Rc<dyn HostApi>, ticker);
        let vm = vm.map_err(|failure| NotReexecuted::NotLoaded(failure.to_string()))?;
        host.end()?;
        Ok(Self { vm, host, wall: limits.wall(), started: None, suspended: None })
    }

    /// Whether the last step ended with a wait, so that the next step of the run can follow.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.suspended.is_some()
    }

    /// Executes the next step of the run. `rows` are the script's values before it.
    ///
    /// A step that a limit or the runtime ended is not executed: what was recorded counts.
    ///
    /// # Errors
    /// If it reads something else than it did, or the step before it was not executed.
    pub fn step(
        &mut self,
        rows: Rc<dyn HostRows>,
        event: Arc<Event>,
        record: &RunRecord,
    ) -> Result<Reexecuted, NotReexecuted> {
        let suspended = self.suspended.take();
        if record.is_cut_short {
            return Ok(Reexecuted { outcome: record.outcome.clone(), effects: record.effects.clone() });
        }
        let started = *self.started.get_or_insert(record.now);
        self.host.begin(rows, record.observations.clone());
        let input = Input { event, run: record.run.clone(), now: record.now, seed: record.seed };
        let mut executed = if record.run.is_call() {
            self.call(record, &input)
        } else {
            let step = match (&record.answer, suspended) {
                (None, _) => self.vm.start(input),
                (Some(answer), Some(suspended)) => self.vm.resume(suspended, answer, input),
                (Some(_), None) => return Err(NotReexecuted::NotWaiting),
            };
            self.end(step, started, record)
        };
        self.host.end()?;
        // These are applied or passed on without being recorded.
        executed.effects.metrics.clear();
        if record.hook == EventName::BeforeMessage {
            executed.effects.result = None;
        }
        Ok(executed)
    }

    /// Calls the functions that another script called, in order.
    fn call(&mut self, record: &RunRecord, input: &Input) -> Reexecuted {
        let mut problem = None;
        for call in &record.calls {
            problem = problem.or(self.vm.call(&call.function, &call.arguments, input.clone()).err());
        }
        let called = self.vm.finish_call();
        // A result that cannot be passed on is an error to the caller only: such a call is kept.
        let outcome = if called.calls == record.calls {
            RunOutcome::Done
        } else {
            RunOutcome::Failed(fault_of(Failure::new(problem.unwrap_or_default()), record.hook, &record.run))
        };
        Reexecuted { outcome, effects: called.effects }
    }

    fn end(&mut self, step: Step, started: Millis, record: &RunRecord) -> Reexecuted {
        match step {
            Step::Done(effects) => Reexecuted { outcome: RunOutcome::Done, effects },
            Step::Waiting(effects, wait, suspended) => {
                self.suspended = Some(suspended);
                let wall = u64::try_from(self.wall.as_millis()).unwrap_or(Millis::MAX);
                let wait = wait.ending_by(started.saturating_add(wall)).for_the_record();
                Reexecuted { outcome: RunOutcome::Waiting(wait), effects }
            }
            Step::Failed(failure) => {
                let fault = fault_of(*failure, record.hook, &record.run);
                Reexecuted { outcome: RunOutcome::Failed(fault), effects: Effects::default() }
            }
        }
    }
}
