//! One script on its worker: its versions, the events that wait for it, its runs.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::time::Duration;

use palabre_fetch::Request;
use palabre_model::{Clock, Event, EventKind, EventName, Fault, Millis, Reason, RoomId, ScriptName, UserId, Verdict};
use palabre_script::{
    Answer, Change, Coverage, Door, Effects, Failure, Input, Limit, Limits, Parked, Source, Step, Ticker, Vm, Wait,
};
use tokio::sync::oneshot;

use crate::block::{RunOutcome, RunRecord, ScriptVersion};
use crate::clock_watch::WentBack;
use crate::engine::own_bot;
use crate::metrics::Metrics;
use crate::neighbours::{Call, Neighbours};
use crate::places::{FAILURES_IN_A_ROW, LONGEST_REST, Place, Places, pause, place_of};
use crate::read_back::WINDOW_EVENTS;
use crate::scheduler::{Due, Scheduler};
use crate::script_store::{KeyMap, ScriptStore};
use crate::sequencer::Note;
use crate::status::{Board, ScriptState, ScriptStatus};
use crate::tables::WaitingRun;

/// So many events of places in which the script rests wait in memory before they are set aside for what may come behind them.
const LONG_QUEUE: usize = WINDOW_EVENTS / 2;
/// So many events that were set aside are read at once.
const ASIDE_AT_ONCE: usize = 64;
/// So many bytes of values that a script has stored may be on their way to the disk; what it does next waits for them.
const UNDURABLE_BYTES: usize = 4 << 20;
/// How long after the store could not be read a script tries again.
const HOLD: Millis = 500;

/// What a worker gives back: runs that ended, in order, with all that they want.
pub(crate) struct Chunk {
    pub(crate) slot: usize,
    pub(crate) script: ScriptVersion,
    /// The position of the script in a block is not known here; it is 0.
    pub(crate) runs: Vec<RunRecord>,
    /// The last event that the script is done with.
    pub(crate) mark: Option<u64>,
    /// Stored values, the last change of each.
    pub(crate) writes: KeyMap<Change>,
    /// What runs that began to wait want to know over HTTP: event, stretch and request.
    pub(crate) requests: Vec<(u64, u32, Request)>,
    /// Runs that began to wait (`Some`) or ended.
    pub(crate) waits: Vec<(u64, Option<WaitingRun>)>,
    /// Events that were set aside, or that are no longer.
    pub(crate) aside: Vec<AsideChange>,
    pub(crate) number: u64,
    pub(crate) durable: Arc<AtomicU64>,
}

/// An event whose script rests where it happened.
pub(crate) enum AsideChange {
    Put { place: Place, seq: u64, event: Arc<Event> },
    Done { place: Place, seq: u64 },
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.mark.is_none() && self.waits.is_empty() && self.aside.is_empty()
    }

    /// Whether something happens only once this is durable; not where runs have done no more than store values.
    pub(crate) fn has_more_to_come(&self) -> bool {
        let is_over = |run: &RunRecord| {
            let effects = &run.effects;
            matches!(run.outcome, RunOutcome::Done)
                && effects.actions.is_empty()
                && effects.timers.is_empty()
                && effects.result.is_none()
        };
        !(self.requests.is_empty() && self.waits.is_empty() && self.runs.iter().all(is_over))
    }
}

/// What the slots of a worker share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) scheduler: Scheduler,
    pub(crate) ticker: Ticker,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) notes: crossbeam_channel::Sender<Note>,
    /// The next sequence number.
    pub(crate) seq: Arc<AtomicU64>,
}

struct Version {
    id: u64,
    hash: Arc<str>,
    source: Source,
    vm: Rc<RefCell<Vm>>,
}

/// Which version a stretch runs on, and since when its run goes on.
#[derive(Clone)]
struct Ran {
    version: u64,
    hash: Arc<str>,
    started: Millis,
}

/// Something that a script takes before its next event.
pub(crate) enum Turn {
    /// The time of a wait is over.
    TimeUp { seq: u64, part: u32 },
    /// What a run has waited for is there.
    Answer { seq: u64, part: u32, answer: Answer },
    /// A message is about to be delivered.
    Gate { event: Box<Event>, reply: oneshot::Sender<Verdict> },
}

struct Waiting {
    parked: Parked,
    ran: Ran,
    event: Arc<Event>,
    part: u32,
    wait: Wait,
}

pub(crate) struct Slot {
    pub(crate) index: usize,
    name: ScriptName,
    limits: Limits,
    config: serde_json::Value,
    around: Surroundings,
    store: Rc<ScriptStore>,
    current: Option<Version>,
    /// Versions that were replaced while runs of theirs wait.
    retired: Vec<Version>,
    versions: u64,
    queue: VecDeque<(u64, Arc<Event>)>,
    /// What comes before the next event.
    turns: VecDeque<Turn>,
    /// Time on the worker's thread, for fair turns: never less than that of the scripts beside it when it last began to work.
    pub(crate) spent: Duration,
    waiting: HashMap<u64, Waiting>,
    /// How many runs wait for somebody's answer; read by who decides which events come here.
    pub(crate) asking: Arc<AtomicUsize>,
    neighbours: Neighbours,
    /// What runs had done by other scripts, until the worker hands it to them.
    calls: Vec<Call>,
    seeds: u64,
    failures: u32,
    rests: u32,
    resting: bool,
    rest_until: Millis,
    /// The store cannot be read: events and waits stay as they are until it can.
    held: bool,
    /// Bytes of values in the present chunk, and in chunks that are not durable yet.
    chunk_bytes: usize,
    undurable: VecDeque<(u64, usize)>,
    places: Places,
    /// Events that were set aside and are tried again, before those in the queue.
    retries: VecDeque<(Place, u64, Arc<Event>)>,
    /// All that is in the queue is of places in which the script rests.
    is_stuck: bool,
    /// Events that were set aside are not there to be read yet.
    is_waiting_for_aside: bool,
    chunk: Chunk,
    /// Chunks that ended because another version ran next.
    cut: Vec<Chunk>,
    pub(crate) board: Arc<Board<ScriptStatus>>,
}

impl Slot {
    #[allow(clippy::too_many_arguments, reason = "called once, by the worker that owns it")]
    pub(crate) fn new(
        index: usize,
        name: ScriptName,
        limits: Limits,
        config: serde_json::Value,
        around: Surroundings,
        store: ScriptStore,
        neighbours: Neighbours,
        seed: u64,
        asking: Arc<AtomicUsize>,
        board: Arc<Board<ScriptStatus>>,
    ) -> Self {
        // Should the store not be readable now, they are found at the next start.
        let aside = store.aside_places().unwrap_or_else(|error| {
            tracing::error!(script = %name, "events that were set aside cannot be read, and wait: {error}");
            HashMap::new()
        });
        let places = Places::new(aside);
        let chunk = Chunk {
            slot: index,
            script: ScriptVersion { name: name.clone(), version: "".into() },
            runs: Vec::new(),
            mark: None,
            writes: KeyMap::default(),
            requests: Vec::new(),
            waits: Vec::new(),
            aside: Vec::new(),
            number: 1,
            durable: store.durable(),
        };
        Self {
            index,
            name,
            limits,
            config,
            around,
            store: Rc::new(store),
            current: None,
            retired: Vec::new(),
            versions: 0,
            queue: VecDeque::new(),
            turns: VecDeque::new(),
            spent: Duration::ZERO,
            waiting: HashMap::new(),
            asking,
            neighbours,
            calls: Vec::new(),
            seeds: seed,
            failures: 0,
            rests: 0,
            resting: false,
            rest_until: 0,
            held: false,
            chunk_bytes: 0,
            undurable: VecDeque::new(),
            places,
            retries: VecDeque::new(),
            is_stuck: false,
            is_waiting_for_aside: false,
            chunk,
            cut: Vec::new(),
            board,
        }
    }

    /// The hooks of the version that runs.
    pub(crate) fn hooks(&self) -> Vec<EventName> {
        let Some(version) = &self.current else { return Vec::new() };
        let vm = version.vm.borrow();
        EventName::ALL.iter().copied().filter(|name| vm.has_hook(*name)).collect()
    }

    pub(crate) fn name(&self) -> &ScriptName {
        &self.name
    }

    /// Which lines of the version that runs have run.
    pub(crate) fn coverage(&self) -> Coverage {
        self.current.as_ref().map(|version| version.vm.borrow().coverage()).unwrap_or_default()
    }

    /// What the sequencer is told of the version that runs.
    pub(crate) fn takes_over(&self) -> Note {
        let declared = self.current.as_ref().map(|version| Arc::clone(version.vm.borrow().declarations()));
        Note::Hooks {
            slot: self.index,
            hooks: self.hooks(),
            declared: declared.unwrap_or_default(),
            version: self.version(),
        }
    }

    /// The hash of the version that runs.
    pub(crate) fn version(&self) -> Arc<str> {
        self.current.as_ref().map_or_else(|| "".into(), |version| Arc::clone(&version.hash))
    }

    pub(crate) fn push(&mut self, events: Vec<(u64, Arc<Event>)>) {
        self.is_stuck = false;
        self.queue.extend(events);
    }

    /// Lets something have its turn before the next event.
    pub(crate) fn next_is(&mut self, turn: Turn) {
        self.turns.push_back(turn);
    }

    pub(crate) fn has_work(&self) -> bool {
        if self.held || self.is_throttled() {
            return self.turns.iter().any(|turn| matches!(turn, Turn::Gate { .. }));
        }
        let takes_events = self.current.is_some() && !self.resting;
        self.has_turns() || (takes_events && (self.has_retries() || (!self.queue.is_empty() && !self.is_stuck)))
    }

    /// Whether what it does next waits for what it has stored to be durable.
    pub(crate) fn is_throttled(&self) -> bool {
        let durable = self.chunk.durable.load(Acquire);
        let waiting = self.undurable.iter().filter(|(number, _)| *number > durable);
        self.chunk_bytes + waiting.map(|(_, bytes)| bytes).sum::<usize>() > UNDURABLE_BYTES
    }

    /// Whether something waits that comes before the next event.
    pub(crate) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Builds `source`, runs its `on_load`, and only when all that holds lets it take over.
    pub(crate) fn load(
        &mut self,
        source: Source,
        config: Option<serde_json::Value>,
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
                self.rests = 0;
                self.resting = false;
                self.places.forgive();
                (self.is_stuck, self.is_waiting_for_aside) = (false, false);
            }
            Err(failure) if self.current.is_some() => {
                tracing::error!(script = %name, "the new version does not load, the old one goes on: {failure}");
            }
            Err(failure) => tracing::error!(script = %name, "does not load: {failure}"),
        }
        let error = outcome.as_ref().err().map(ToString::to_string);
        self.post(error);
        outcome
    }

    fn try_load(&mut self, source: Source, reason: Reason) -> Result<Vec<String>, Failure> {
        let vm = self.build(&source)?;
        let warnings = vm.borrow().warnings().to_vec();
        let input = self.input(Arc::new(own_event(EventKind::Load { reason }, self.now())), self.next_seq(), 0);
        let step = guarded(|| vm.borrow_mut().start(input.clone()));
        if let Step::Failed(mut failure) = step {
            self.store.end_calls(false);
            failure.fault.hook = Some(EventName::Load.hook().to_owned());
            return Err(*failure);
        }
        self.unload(reason);
        self.versions += 1;
        let version = Version { id: self.versions, hash: source.version().into(), source, vm };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        self.neighbours.set(&self.name, Some(Rc::clone(&version.vm)));
        self.current = Some(version);
        self.settle(step, &input, None, &ran);
        Ok(warnings)
    }

    fn build(&self, source: &Source) -> Result<Rc<RefCell<Vm>>, Failure> {
        let door = Rc::clone(&self.store) as Rc<dyn Door>;
        let build = || Vm::build(source, &self.limits, &self.config, door, &self.around.ticker);
        catch_unwind(AssertUnwindSafe(|| build().map(|vm| Rc::new(RefCell::new(vm)))))
            .unwrap_or_else(|_| Err(Failure::new("the host failed while it loaded the script (a bug of Palabre's)")))
    }

    /// Lets the present version leave; it stays for the runs that wait.
    pub(crate) fn unload(&mut self, reason: Reason) {
        let Some(old) = self.current.take() else { return };
        let input = self.input(Arc::new(own_event(EventKind::Unload { reason }, self.now())), self.next_seq(), 0);
        self.neighbours.set(&self.name, None);
        match guarded(|| old.vm.borrow_mut().start(input.clone())) {
            Step::Done(effects) => self.record(&input, None, RunOutcome::Done, effects, &old.hash),
            Step::Waiting(..) => {
                tracing::warn!(script = %self.name, "on_unload cannot wait; what it wanted is dropped")
            }
            Step::Failed(failure) => tracing::warn!(script = %self.name, "on_unload failed: {failure}"),
        }
        if self.waiting.values().any(|waiting| waiting.ran.version == old.id) {
            self.retired.push(old);
        }
        self.post(None);
    }

    /// Takes turns and events until there are none, or `enough` says so. A suspended script takes no events.
    pub(crate) fn work(&mut self, mut enough: impl FnMut(usize) -> bool) {
        let mut done = 0;
        // What a run had done by other scripts is handed to them before the next one begins.
        while !enough(done) && self.calls.is_empty() && self.has_work() {
            done += 1;
            match self.next_turn() {
                Some(Turn::TimeUp { seq, part }) => self.answered_by(seq, part, Answer::TimeUp),
                Some(Turn::Answer { seq, part, answer }) => self.answered_by(seq, part, answer),
                Some(Turn::Gate { event, reply }) => {
                    let verdict = self.gate(*event);
                    // Who asked may be gone.
                    drop(reply.send(verdict));
                }
                None => self.next_event(),
            }
        }
    }

    /// Takes the next event: of those that were set aside, if there are any whose turn it is, or of the queue.
    fn next_event(&mut self) {
        if self.has_retries() {
            return self.retry();
        }
        let Some((seq, event)) = self.queue.pop_front() else { return };
        match place_of(&event).filter(|place| self.places.waits(Some(place))) {
            None => {
                if self.run_event(seq, &event) {
                    self.chunk.mark = Some(seq);
                } else {
                    self.queue.push_front((seq, event));
                }
            }
            Some(place) => {
                let waits = |(_, event): &(u64, Arc<Event>)| self.places.waits(place_of(event).as_ref());
                // Without others behind it, it may as well wait where it is.
                if self.queue.len() < LONG_QUEUE && self.queue.iter().all(waits) {
                    self.queue.push_front((seq, event));
                    self.is_stuck = true;
                } else {
                    self.places.set_aside(&place);
                    self.chunk.aside.push(AsideChange::Put { place, seq, event });
                    self.chunk.mark = Some(seq);
                }
            }
        }
    }

    fn has_retries(&self) -> bool {
        !self.retries.is_empty() || (!self.is_waiting_for_aside && self.places.next_with_aside().is_some())
    }

    /// Tries the next event that was set aside.
    fn retry(&mut self) {
        if self.retries.is_empty() {
            let Some((place, done_through)) = self.places.next_with_aside() else { return };
            match self.store.aside_events(&place, done_through, ASIDE_AT_ONCE) {
                Ok(events) => {
                    self.retries.extend(events.into_iter().map(|(seq, event)| (Arc::clone(&place), seq, event)));
                }
                Err(error) => {
                    tracing::error!(script = %self.name, "events that were set aside cannot be read, and wait: {error}");
                }
            }
            if self.retries.is_empty() {
                // They are not durable yet, or cannot be read.
                self.is_waiting_for_aside = true;
                self.around.scheduler.at(self.now() + HOLD, Due::Resume { slot: self.index });
            }
            return;
        }
        let Some((place, seq, event)) = self.retries.pop_front() else { return };
        if !self.run_event(seq, &event) {
            return self.retries.push_front((place, seq, event));
        }
        self.places.done_aside(&place, seq);
        self.chunk.aside.push(AsideChange::Done { place, seq });
        // Where it rests again, the others stay where they are.
        if let Some((next, ..)) = self.retries.front()
            && self.places.next_with_aside().is_none_or(|(place, _)| place != *next)
        {
            self.retries.clear();
        }
    }

    /// What comes before the next event; while the store cannot be read, only what somebody waits for.
    fn next_turn(&mut self) -> Option<Turn> {
        if !self.held && !self.is_throttled() {
            return self.turns.pop_front();
        }
        let gate = self.turns.iter().position(|turn| matches!(turn, Turn::Gate { .. }))?;
        self.turns.remove(gate)
    }

    /// Leaves everything as it is until the store can be read again.
    fn hold(&mut self) {
        self.held = true;
        self.around.scheduler.at(self.now() + HOLD, Due::Resume { slot: self.index });
    }

    /// Lets the script handle an event. Returns false where the store cannot be read, and the event remains to be done.
    fn run_event(&mut self, seq: u64, event: &Arc<Event>) -> bool {
        if let Some((run, answer)) = self.answered(event) {
            return self.wake(run, answer);
        }
        let input = self.input(Arc::clone(event), seq, 0);
        let Some(version) = &self.current else { return true };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        let vm = Rc::clone(&version.vm);
        let step = guarded(|| vm.borrow_mut().start(input.clone()));
        // Whatever the script made of that: the event is not done.
        if self.neighbours.was_unreadable() {
            self.store.end_calls(false);
            self.hold();
            return false;
        }
        self.settle(step, &input, None, &ran);
        true
    }

    /// The run that waits for this event, and what it says to it.
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

    /// What a run has waited for is there, or its time is over, whatever came first.
    fn answered_by(&mut self, seq: u64, part: u32, answer: Answer) {
        let is_waiting = self.waiting.get(&seq).is_some_and(|waiting| waiting.part == part);
        if is_waiting && !self.wake(seq, answer.clone()) {
            self.turns.push_front(Turn::Answer { seq, part, answer });
        }
    }

    /// What the script says to a message that is about to be delivered. When it fails, the message passes.
    fn gate(&mut self, event: Event) -> Verdict {
        let seq = self.next_seq();
        let input = self.input(Arc::new(event), seq, 0);
        let Some(version) = self.current.as_ref().filter(|_| !self.resting) else { return Verdict::Pass };
        let ran = Ran { version: version.id, hash: Arc::clone(&version.hash), started: input.now };
        let vm = Rc::clone(&version.vm);
        let step = guarded(|| vm.borrow_mut().start(input.clone()));
        // Nothing is taken while the store cannot be read, so the message goes nowhere either way.
        let _seen = self.neighbours.was_unreadable();
        match step {
            Step::Done(mut effects) => {
                let verdict = verdict_of(effects.result.take());
                self.settle(Step::Done(effects), &input, None, &ran);
                verdict
            }
            Step::Waiting(..) => {
                let failure = Failure::new("before_message cannot wait: the room waits for it");
                self.settle(Step::Failed(Box::new(failure)), &input, None, &ran);
                Verdict::Pass
            }
            failed @ Step::Failed(_) => {
                self.settle(failed, &input, None, &ran);
                Verdict::Pass
            }
        }
    }

    /// What runs had done by other scripts.
    pub(crate) fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// Takes over what another script's run had done by this one.
    pub(crate) fn record_call(&mut self, call: Call) {
        let hash = self.version();
        self.record(&call.input, None, RunOutcome::Done, call.effects, &hash);
    }

    /// Goes on with a run that waited. Returns false where it has to wait on, since what it reads cannot be read: a stretch behind a wait
    /// cannot be run again.
    fn wake(&mut self, seq: u64, answer: Answer) -> bool {
        if !self.store.is_readable() {
            self.hold();
            return false;
        }
        let Some(waiting) = self.waiting.remove(&seq) else { return true };
        self.around.scheduler.cancel(Due::Wake { slot: self.index, seq, part: waiting.part });
        self.count_asking();
        self.chunk.waits.push((seq, None));
        let input = self.input(Arc::clone(&waiting.event), seq, waiting.part + 1);
        let step = if input.now >= waiting.ran.started.saturating_add(millis(self.limits.wall())) {
            let limit = Limit::Wall(self.limits.wall());
            Step::Failed(Box::new(Failure { limit: Some(limit.clone()), ..Failure::new(limit.to_string()) }))
        } else {
            let owner = self.current.iter().chain(&self.retired).find(|version| version.id == waiting.ran.version);
            match owner {
                Some(version) => {
                    let vm = Rc::clone(&version.vm);
                    guarded(|| vm.borrow_mut().resume(waiting.parked, &answer, input.clone()))
                }
                None => Step::Failed(Box::new(Failure::new("interrupted: the script's VM had to be replaced"))),
            }
        };
        // It has seen the error, or ends with it.
        let _seen = self.neighbours.was_unreadable();
        self.settle(step, &input, Some(answer), &waiting.ran);
        self.retired.retain(|old| self.waiting.values().any(|waiting| waiting.ran.version == old.id));
        true
    }

    /// A run that waited when the daemon went down cannot be taken up again; the script is told.
    pub(crate) fn interrupted(&mut self, seq: u64, run: WaitingRun) {
        let event = Arc::new(run.event);
        let hook = event.kind.name();
        self.chunk.waits.push((seq, None));
        let mut fault =
            *Failure::new(format!("interrupted: the daemon was restarted while {} waited", hook.hook())).fault;
        fault.hook = Some(hook.hook().to_owned());
        // Parts count up over a run; that of a run before the restart is not known, but less than this.
        let input = self.input(event, seq, u32::MAX / 2);
        let hash = self.version();
        self.record(&input, None, RunOutcome::Failed(fault.clone()), Effects::default(), &hash);
        self.tell(&input, fault);
    }

    /// Time went back: what began in a time that never was counts from now on.
    pub(crate) fn went_back(&mut self, back: &WentBack) {
        self.store.went_back(back);
        self.rest_until = self.rest_until.min(back.now + LONGEST_REST);
        for waiting in self.waiting.values_mut() {
            waiting.ran.started = waiting.ran.started.min(back.now);
        }
    }

    /// A suspended script tries again, and so does one that could not read the store.
    pub(crate) fn resume(&mut self) {
        let now = self.now();
        self.places.wake(now);
        (self.held, self.is_stuck, self.is_waiting_for_aside) = (false, false, false);
        self.resting = self.resting && self.now() < self.rest_until;
        self.post(None);
    }

    /// What is done so far, in order.
    pub(crate) fn take_chunks(&mut self) -> Vec<Chunk> {
        let last = self.cut();
        let mut chunks = std::mem::take(&mut self.cut);
        chunks.extend(last);
        if !chunks.is_empty() {
            self.store.tidy();
        }
        self.store.let_go();
        chunks
    }

    fn cut(&mut self) -> Option<Chunk> {
        if self.chunk.is_empty() {
            return None;
        }
        let durable = self.chunk.durable.load(Acquire);
        while self.undurable.front().is_some_and(|(number, _)| *number <= durable) {
            self.undurable.pop_front();
        }
        if self.chunk_bytes > 0 {
            self.undurable.push_back((self.chunk.number, std::mem::take(&mut self.chunk_bytes)));
        }
        if !self.chunk.aside.is_empty() {
            self.board.write(|status| status.set_aside_events = self.places.aside());
        }
        let next = Chunk {
            slot: self.index,
            script: self.chunk.script.clone(),
            runs: Vec::new(),
            mark: None,
            // As many as last time; growing a map by and by copies it again and again.
            writes: KeyMap::with_capacity_and_hasher(self.chunk.writes.len(), Default::default()),
            requests: Vec::new(),
            waits: Vec::new(),
            aside: Vec::new(),
            number: self.chunk.number + 1,
            durable: Arc::clone(&self.chunk.durable),
        };
        Some(std::mem::replace(&mut self.chunk, next))
    }

    fn settle(&mut self, step: Step, input: &Input, answer: Option<Answer>, ran: &Ran) {
        let kept = matches!(step, Step::Done(_) | Step::Waiting(..));
        let called = self.store.end_calls(kept).into_iter().map(|(script, part, effects)| {
            let input = Input { part, ..input.clone() };
            Call { script, input, effects }
        });
        self.calls.extend(called);
        match step {
            Step::Done(effects) => {
                self.failures = 0;
                let was_resting = self.places.is_resting();
                self.places.succeeded(place_of(&input.event).as_ref());
                if was_resting {
                    self.post(None);
                }
                self.record(input, answer, RunOutcome::Done, effects, &ran.hash);
            }
            Step::Waiting(..) if self.waiting.len() >= self.limits.concurrent_runs => {
                let limit = Limit::Runs(self.limits.concurrent_runs);
                self.fail(
                    input,
                    answer,
                    ran,
                    Failure { limit: Some(limit.clone()), ..Failure::new(limit.to_string()) },
                );
            }
            Step::Waiting(effects, wait, parked) => {
                let wait = wait.ending_by(ran.started.saturating_add(millis(self.limits.wall())));
                let due = Due::Wake { slot: self.index, seq: input.seq, part: input.part };
                self.around.scheduler.at(wait.until(), due);
                let recorded = wait.for_the_record();
                if let Wait::Http { request, .. } = &wait {
                    self.chunk.requests.push((input.seq, input.part, request.clone()));
                }
                let row = WaitingRun { wait: recorded.clone(), since: input.now, event: Event::clone(&input.event) };
                self.chunk.waits.push((input.seq, Some(row)));
                self.record(input, answer, RunOutcome::Waiting(recorded), effects, &ran.hash);
                let event = Arc::clone(&input.event);
                let waiting = Waiting { parked, ran: ran.clone(), event, part: input.part, wait };
                self.waiting.insert(input.seq, waiting);
                self.count_asking();
            }
            Step::Failed(failure) => self.fail(input, answer, ran, *failure),
        }
    }

    fn fail(&mut self, input: &Input, answer: Option<Answer>, ran: &Ran, failure: Failure) {
        let hook = input.event.kind.name();
        let (spoiled, is_rate) = (failure.spoiled, failure.limit.as_ref().is_some_and(Limit::is_rate));
        let limit = failure.limit.as_ref().map(Limit::name);
        tracing::warn!(script = %self.name, hook = hook.hook(), event = input.seq, "{failure}");
        let mut fault = *failure.fault;
        fault.hook = Some(hook.hook().to_owned());
        fault.event = Some(serde_json::json!({ "kind": hook.as_str(), "id": input.seq.to_string() }));
        self.record(input, answer, RunOutcome::Failed(fault.clone()), Effects::default(), &ran.hash);
        self.around.metrics.count(&self.name, "failure");
        if let Some(limit) = limit {
            self.around.metrics.count(&self.name, limit);
        }
        self.post(Some(fault.message.clone()));
        if spoiled {
            self.replace_vm();
        }
        // Whoever may send requests must not be able to suspend the script.
        if !is_rate && hook != EventName::Request {
            self.failures += 1;
            let place = place_of(&input.event);
            // Where it happens in one place alone, it is suspended there, and others are served on.
            if let Some(place) = &place
                && let Some(pause) = self.places.failed(place, input.now)
            {
                self.announce_rest(pause, &format!(" in {place}"), &fault.message);
            }
            if self.failures >= FAILURES_IN_A_ROW && (place.is_none() || self.places.fails_everywhere()) {
                self.rest(&fault.message);
            }
        }
        if hook != EventName::Error {
            self.tell(input, fault);
        }
    }

    /// Runs `on_error`, where there is one, as a stretch of its own.
    fn tell(&mut self, input: &Input, fault: Fault) {
        let Some(version) = self.current.as_ref().filter(|version| version.vm.borrow().has_hook(EventName::Error))
        else {
            return;
        };
        let vm = Rc::clone(&version.vm);
        let event = Event { kind: EventKind::Error { error: fault }, ..Event::clone(&input.event) };
        let seed = next_seed(&mut self.seeds);
        let input = Input { event: Arc::new(event), part: input.part + 1, seed, ..input.clone() };
        let hash = Arc::clone(&version.hash);
        match guarded(|| vm.borrow_mut().start(input.clone())) {
            Step::Done(effects) => self.record(&input, None, RunOutcome::Done, effects, &hash),
            Step::Waiting(..) => tracing::warn!(script = %self.name, "on_error cannot wait; what it wanted is dropped"),
            Step::Failed(failure) => tracing::warn!(script = %self.name, "on_error failed too: {failure}"),
        }
    }

    fn replace_vm(&mut self) {
        let Some(old) = self.current.take() else { return };
        match self.build(&old.source) {
            Ok(vm) => {
                self.versions += 1;
                self.neighbours.set(&self.name, Some(Rc::clone(&vm)));
                self.current = Some(Version { id: self.versions, vm, ..old });
                tracing::warn!(script = %self.name, "its VM could not be trusted any more and was replaced; module variables start anew");
            }
            Err(failure) => {
                tracing::error!(script = %self.name, "its VM had to be replaced, and the new one does not load: {failure}");
                self.post(Some(failure.to_string()));
            }
        }
    }

    fn rest(&mut self, why: &str) {
        let pause = pause(self.rests);
        self.rests += 1;
        // After the rest one more failure is enough.
        self.failures = FAILURES_IN_A_ROW - 1;
        self.resting = true;
        self.rest_until = self.now() + pause;
        self.announce_rest(pause, "", why);
    }

    /// Asks to be woken after a rest, and tells the operator.
    fn announce_rest(&self, pause: Millis, place: &str, why: &str) {
        self.around.scheduler.at(self.now() + pause, Due::Resume { slot: self.index });
        let seconds = pause / 1_000;
        let what =
            format!("suspended for {seconds} s after {FAILURES_IN_A_ROW} failures in a row{place}; the last: {why}");
        tracing::error!(script = %self.name, "{what}");
        self.around.metrics.count(&self.name, "suspension");
        // The sequencer ends at shutdown alone.
        drop(self.around.notes.send(Note::Notice(format!("The script {} is {what}", self.name))));
        self.post(None);
    }

    /// A stretch that did nothing leaves no record: that the mark has passed its event says it all.
    fn record(
        &mut self,
        input: &Input,
        answer: Option<Answer>,
        outcome: RunOutcome,
        effects: Effects,
        hash: &Arc<str>,
    ) {
        if self.chunk.script.version != *hash {
            let done = self.cut();
            self.cut.extend(done);
            self.chunk.script.version = Arc::clone(hash);
        }
        for write in &effects.writes {
            if let Change::Set { value, .. } = &write.change {
                self.chunk_bytes += write.key.len() + value.len();
            }
            self.store.apply(&write.key, &write.change, self.chunk.number);
            self.chunk.writes.insert(Arc::clone(&write.key), write.change.clone());
        }
        let is_awaited = matches!(input.event.kind.name(), EventName::Task | EventName::Request);
        if outcome == RunOutcome::Done && effects == Effects::default() && input.part == 0 && !is_awaited {
            return;
        }
        self.chunk.runs.push(RunRecord {
            seq: input.seq,
            part: input.part,
            script: 0,
            hook: input.event.kind.name(),
            now: input.now,
            seed: input.seed,
            answer,
            outcome,
            effects,
        });
    }

    fn input(&mut self, event: Arc<Event>, seq: u64, part: u32) -> Input {
        Input { event, seq, part, now: self.around.clock.now(), seed: next_seed(&mut self.seeds) }
    }

    fn now(&self) -> Millis {
        self.around.clock.now()
    }

    fn next_seq(&self) -> u64 {
        self.around.seq.fetch_add(1, Relaxed)
    }

    fn count_asking(&self) {
        let asking = self.waiting.values().filter(|waiting| !matches!(waiting.wait, Wait::Sleep { .. })).count();
        self.asking.store(asking, Release);
        self.board.write(|status| status.waiting_runs = self.waiting.len());
    }

    fn post(&self, error: Option<String>) {
        self.board.write(|status| {
            status.state = match &self.current {
                None => ScriptState::Broken,
                Some(_) if self.resting || self.places.is_resting() => ScriptState::Suspended,
                Some(_) => ScriptState::Up,
            };
            status.version = self.current.as_ref().map(|version| version.hash.to_string());
            status.hooks = self.hooks().into_iter().map(EventName::hook).collect();
            let declared = self.current.as_ref().map(|version| Arc::clone(version.vm.borrow().declarations()));
            status.declares = declared.map(|declared| declared.shown()).unwrap_or_default();
            status.set_aside_events = self.places.aside();
            status.memory_bytes = self.current.as_ref().map_or(0, |version| version.vm.borrow().used_memory());
            if error.is_some() {
                status.last_error = error;
            }
        });
    }
}

/// What `before_message` has returned: false and a reason, a text, or nothing.
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

/// A panic of the host inside one script's VM ends that run and that VM, nobody else's.
fn guarded(stretch: impl FnOnce() -> Step) -> Step {
    catch_unwind(AssertUnwindSafe(stretch)).unwrap_or_else(|_| {
        let failure = Failure::new("the host failed inside this run (a bug of Palabre's); the VM is replaced");
        Step::Failed(Box::new(Failure { spoiled: true, ..failure }))
    })
}

fn own_event(kind: EventKind, time: Millis) -> Event {
    Event::without_place(own_bot(), time, kind)
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): a seed for each stretch.
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
