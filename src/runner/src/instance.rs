//! One script on its worker: its versions, its queue of events and its runs.

mod outcome;
mod run_batch;
mod turns;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::time::Duration;

use palabre_platform::Verdict;
use palabre_script::{Coverage, Failure, HostApi, Input, Source, Step, SuspendedRun, Vm};
use palabre_state::{RunOutcome, VersionRow};
use palabre_types::{
    Answer, Event, EventKind, EventName, Limits, Millis, Observation, Reason, RunId, ScriptName, Wait,
};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::activation::{Activation, StoredVersion};
use crate::context::{RunnerContext, own_bot};
use crate::instance_spec::InstanceSpec;
use crate::peers::{Call, Peers};
use crate::places::{Place, Places};
use crate::published::Published;
use crate::run_batch::RunBatch;
use crate::script_status::{ScriptState, ScriptStatus};
use crate::script_store::ScriptStore;
use crate::step::ExecutedStep;

/// Bytes of a script's values that may be undurable; beyond that, the script waits.
const UNDURABLE_BYTES_MAX: usize = 4 << 20;

struct Version {
    id: u64,
    /// The hash of the row, by which the journal names the version.
    hash: Arc<str>,
    row: VersionRow,
    source: Source,
    vm: Rc<RefCell<Vm>>,
}

/// The version that a step runs on, and the time when its run began.
#[derive(Clone)]
struct Ran {
    version: u64,
    hash: Arc<str>,
    started: Millis,
}

/// Work that a script does before its next event.
pub(crate) enum Turn {
    /// The time limit of a wait is over.
    TimeUp { run: RunId },
    /// The answer that a run waits for.
    Answer { run: RunId, answer: Answer },
    /// A message is about to be delivered.
    Gate { event: Box<Event>, reply: oneshot::Sender<Verdict> },
}

struct Waiting {
    coroutine: SuspendedRun,
    ran: Ran,
    event: Arc<Event>,
    /// The step that ended with the wait.
    run: RunId,
    wait: Wait,
}

pub(crate) struct ScriptInstance {
    pub(crate) index: usize,
    name: ScriptName,
    limits: Limits,
    config: Value,
    grants: Vec<String>,
    cx: RunnerContext,
    store: Rc<ScriptStore>,
    current: Option<Version>,
    /// Replaced versions that have runs which still wait.
    retired: Vec<Version>,
    /// The hashes of replaced versions, until no run uses them any more.
    ending: Vec<Arc<str>>,
    versions: u64,
    queue: VecDeque<(u64, Arc<Event>)>,
    /// Work that comes before the next event.
    turns: VecDeque<Turn>,
    /// Time used on the worker's thread, for fair scheduling.
    ///
    /// It is at least that of its peers at the time when it last began to work.
    pub(crate) spent: Duration,
    waiting: HashMap<u64, Waiting>,
    /// Number of runs that wait for somebody's answer; the owner reads it to route events.
    pub(crate) asking: Arc<AtomicUsize>,
    peers: Peers,
    /// Calls of other scripts' functions, until the worker hands them over.
    calls: Vec<Call>,
    seeds: u64,
    failures: u32,
    suspensions: u32,
    is_suspended: bool,
    suspended_until: Millis,
    /// Whether the store cannot be read: events and waits stay as they are until it can.
    is_waiting_for_store: bool,
    /// Bytes of values in the current run batch.
    run_batch_bytes: usize,
    /// Run batches that were not durable, with the bytes of their values.
    undurable: VecDeque<(u64, usize)>,
    places: Places,
    /// Deferred events that are tried again, before those in the queue.
    retries: VecDeque<(Place, u64, Arc<Event>)>,
    /// Whether the queue only holds events of places where the script is suspended.
    is_stuck: bool,
    /// Whether the deferred events cannot be read yet.
    is_waiting_for_deferred: bool,
    run_batch: RunBatch,
    /// Run batches that ended because another version ran next.
    sealed: Vec<RunBatch>,
    pub(crate) status: Arc<Published<ScriptStatus>>,
}

impl ScriptInstance {
    /// Builds the instance, without a version of the script.
    pub(crate) fn new(spec: InstanceSpec, cx: RunnerContext, peers: Peers) -> Self {
        let store = ScriptStore::new(&spec, cx.clone(), peers.clone());
        // If it cannot be read now, what it proposes is refused, and it is built again.
        let head = store.head().unwrap_or_else(|error| {
            tracing::error!(script = %spec.name, "cannot read its head: {error}");
            0
        });
        let run_batch = RunBatch::first(&spec, head, store.durable());
        let InstanceSpec { script_id, name, limits, config, grants, seed, asking, status, .. } = spec;
        // If the store cannot be read now, the next start finds them.
        let deferred = store.deferred_places().unwrap_or_else(|error| {
            tracing::error!(script = %name, "cannot read its deferred events, which wait: {error}");
            HashMap::new()
        });
        Self {
            index: script_id,
            name,
            limits,
            config,
            grants,
            cx,
            store: Rc::new(store),
            current: None,
            retired: Vec::new(),
            ending: Vec::new(),
            versions: 0,
            queue: VecDeque::new(),
            turns: VecDeque::new(),
            spent: Duration::ZERO,
            waiting: HashMap::new(),
            asking,
            peers,
            calls: Vec::new(),
            seeds: seed,
            failures: 0,
            suspensions: 0,
            is_suspended: false,
            suspended_until: 0,
            is_waiting_for_store: false,
            run_batch_bytes: 0,
            undurable: VecDeque::new(),
            places: Places::new(deferred),
            retries: VecDeque::new(),
            is_stuck: false,
            is_waiting_for_deferred: false,
            run_batch,
            sealed: Vec::new(),
            status,
        }
    }

    /// Returns the hooks of the active version.
    pub(crate) fn hooks(&self) -> Vec<EventName> {
        let Some(version) = &self.current else { return Vec::new() };
        let vm = version.vm.borrow();
        EventName::ALL.iter().copied().filter(|name| vm.has_hook(*name)).collect()
    }

    pub(crate) fn name(&self) -> &ScriptName {
        &self.name
    }

    /// Returns the lines of the active version that have run.
    pub(crate) fn coverage(&self) -> Coverage {
        self.current.as_ref().map(|version| version.vm.borrow().coverage()).unwrap_or_default()
    }

    /// Returns the report about the active version.
    pub(crate) fn activation(&self) -> Activation {
        let declared = self.current.as_ref().map(|version| Arc::clone(version.vm.borrow().declarations()));
        let stored = |version: &Version| StoredVersion {
            files: version.source.stored(),
            config: self.config.clone(),
            row: version.row.clone(),
        };
        Activation {
            script_id: self.index,
            hooks: self.hooks(),
            declared: declared.unwrap_or_default(),
            version: self.version(),
            stored: self.current.as_ref().map(|version| Box::new(stored(version))),
        }
    }

    /// Returns the hash of the active version.
    pub(crate) fn version(&self) -> Arc<str> {
        self.current.as_ref().map_or_else(|| "".into(), |version| Arc::clone(&version.hash))
    }

    pub(crate) fn push(&mut self, events: Vec<(u64, Arc<Event>)>) {
        self.is_stuck = false;
        self.queue.extend(events);
    }

    /// Adds work that comes before the next event.
    pub(crate) fn push_turn(&mut self, turn: Turn) {
        self.turns.push_back(turn);
    }

    pub(crate) fn has_work(&self) -> bool {
        if self.is_waiting_for_store || self.is_throttled() {
            return self.turns.iter().any(|turn| matches!(turn, Turn::Gate { .. }));
        }
        let takes_events = self.current.is_some() && !self.is_suspended;
        self.has_turns() || (takes_events && (self.has_retries() || (!self.queue.is_empty() && !self.is_stuck)))
    }

    /// Whether the script waits until what it has stored is durable.
    pub(crate) fn is_throttled(&self) -> bool {
        let durable = self.run_batch.durable.load(Acquire);
        let waiting = self.undurable.iter().filter(|(number, _)| *number > durable);
        self.run_batch_bytes + waiting.map(|(_, bytes)| bytes).sum::<usize>() > UNDURABLE_BYTES_MAX
    }

    /// Whether there is work that comes before the next event.
    pub(crate) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Builds `source`, runs its `on_load`, and activates it only if both succeed.
    pub(crate) fn load(
        &mut self,
        source: Source,
        config: Option<Value>,
        reason: Reason,
    ) -> Result<Vec<String>, Failure> {
        let before = config.map(|config| std::mem::replace(&mut self.config, config));
        let outcome = self.try_load(source, reason);
        if let (Err(_), Some(before)) = (&outcome, before) {
            self.config = before;
        }
        let name = &self.name;
        match &outcome {
            Ok(warnings) => {
                for warning in warnings {
                    tracing::warn!(script = %name, "{warning}");
                }
                self.failures = 0;
                self.suspensions = 0;
                self.is_suspended = false;
                self.places.reset();
                (self.is_stuck, self.is_waiting_for_deferred) = (false, false);
            }
            Err(failure) if self.current.is_some() => {
                tracing::error!(script = %name, "the new version does not load, the old one stays: {failure}");
            }
            Err(failure) => tracing::error!(script = %name, "does not load: {failure}"),
        }
        let error = outcome.as_ref().err().map(ToString::to_string);
        self.post(error);
        outcome
    }

    fn try_load(&mut self, source: Source, reason: Reason) -> Result<Vec<String>, Failure> {
        let (vm, row) = self.build(&source)?;
        let warnings = vm.borrow().warnings().to_vec();
        let run = RunId::hook(self.cx.assign_seq(), 0);
        let input = self.input(Arc::new(own_event(EventKind::Load { reason }, self.now())), run);
        let (step, observations) = guarded(&vm, |vm| vm.start(input.clone()));
        if let Step::Failed(mut failure) = step {
            self.peers.end_calls(false);
            failure.fault.hook = Some(EventName::Load.hook().to_owned());
            return Err(*failure);
        }
        // Before `on_unload`, which may call the same scripts.
        let is_kept = self.is_kept(&step);
        self.end_calls(&input, is_kept);
        self.unload(reason);
        self.versions += 1;
        let version = Version { id: self.versions, hash: row.hash(), row, source, vm };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        self.peers.set(&self.name, Some(Rc::clone(&version.vm)));
        self.current = Some(version);
        self.finish_step(step, ExecutedStep::new(input, observations), &ran);
        Ok(warnings)
    }

    /// Loads a script into a new VM. Returns it with the row of the version that results.
    fn build(&self, source: &Source) -> Result<(Rc<RefCell<Vm>>, VersionRow), Failure> {
        let host = Rc::clone(&self.store) as Rc<dyn HostApi>;
        let build = || Vm::build(source, &self.limits, &self.config, host, &self.cx.ticker);
        let vm = catch_unwind(AssertUnwindSafe(build))
            .unwrap_or_else(|_| Err(Failure::new("the host failed while it loaded the script (a bug in Palabre)")))?;
        let row = VersionRow::new(&source.version(), &self.config, &self.limits, &self.grants, vm.take_observations());
        Ok((Rc::new(RefCell::new(vm)), row))
    }

    /// Unloads the active version. It is kept for runs of it that wait.
    pub(crate) fn unload(&mut self, reason: Reason) {
        let Some(old) = self.current.take() else { return };
        self.replaced(&old.hash);
        let run = RunId::hook(self.cx.assign_seq(), 0);
        let input = self.input(Arc::new(own_event(EventKind::Unload { reason }, self.now())), run);
        self.peers.set(&self.name, None);
        let (step, observations) = guarded(&old.vm, |vm| vm.start(input.clone()));
        self.end_calls(&input, matches!(step, Step::Done(_)));
        match step {
            Step::Done(effects) => {
                self.record(ExecutedStep::new(input, observations), RunOutcome::Done, effects, &old.hash);
            }
            Step::Waiting(..) => tracing::warn!(script = %self.name, "on_unload cannot wait; its effects are dropped"),
            Step::Failed(failure) => tracing::warn!(script = %self.name, "on_unload failed: {failure}"),
        }
        if self.waiting.values().any(|waiting| waiting.ran.version == old.id) {
            self.retired.push(old);
        }
        self.post(None);
    }

    fn input(&mut self, event: Arc<Event>, run: RunId) -> Input {
        Input { event, run, now: self.cx.clock.now(), seed: next_seed(&mut self.seeds) }
    }

    fn now(&self) -> Millis {
        self.cx.clock.now()
    }

    fn count_asking(&self) {
        let asking = self.waiting.values().filter(|waiting| !matches!(waiting.wait, Wait::Sleep { .. })).count();
        self.asking.store(asking, Release);
        self.status.write(|status| status.waiting_runs = self.waiting.len());
    }

    fn post(&self, error: Option<String>) {
        self.status.write(|status| {
            status.state = match &self.current {
                None => ScriptState::Broken,
                Some(_) if self.is_suspended || self.places.is_suspended() => ScriptState::Suspended,
                Some(_) => ScriptState::Up,
            };
            status.version = self.current.as_ref().map(|version| version.row.files.to_string());
            status.hooks = self.hooks().into_iter().map(EventName::hook).collect();
            let declared = self.current.as_ref().map(|version| Arc::clone(version.vm.borrow().declarations()));
            status.declares = declared.map(|declared| declared.shown()).unwrap_or_default();
            status.deferred_events = self.places.deferred();
            status.memory_bytes = self.current.as_ref().map_or(0, |version| version.vm.borrow().used_memory());
            if error.is_some() {
                status.last_error = error;
            }
        });
    }
}

/// Runs a step. Returns it with what it read. A panic of the host in it ends only this run and its VM.
fn guarded(vm: &RefCell<Vm>, run_step: impl FnOnce(&mut Vm) -> Step) -> (Step, Vec<Observation>) {
    let step = catch_unwind(AssertUnwindSafe(|| run_step(&mut vm.borrow_mut()))).unwrap_or_else(|_| {
        let failure = Failure::new("the host failed inside this run (a bug in Palabre); the VM is replaced");
        Step::Failed(Box::new(Failure { is_tainted: true, ..failure }))
    });
    (step, vm.borrow().take_observations())
}

fn own_event(kind: EventKind, time: Millis) -> Event {
    Event::without_place(own_bot(), time, kind)
}

/// Returns the seed of the next step, by SplitMix64.
///
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
fn next_seed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn millis(duration: std::time::Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
