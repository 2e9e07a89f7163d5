//! Starting, asking and stopping the whole.

use std::collections::HashMap;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use palabre_fetch::Grants;
use palabre_model::{
    Adapter, AdapterContext, Batch, Bot, BotName, Clock, Entropy, Event, EventKind, EventSink, Millis, Reason, Receipt,
    ScriptName, Shutdown,
};
use palabre_script::{Coverage, Failure, Limits, RouteSpec, Source, SourceError, Ticker};
use palabre_store::Store;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::awaited::Outgoing;
use crate::clock_watch::{self, ClockRow, WentBack};
use crate::gate::ScriptsGate;
use crate::housekeeping::{Cleaner, HOUSEKEEPING, waker};
use crate::http::Http;
use crate::metrics::Metrics;
use crate::operators::{BotSettings, Operators};
use crate::outbox::{ChainId, Class, Entry, Outbox};
use crate::read_back;
use crate::rebuild::{Rebuilder, Spec, Specs};
use crate::recovery::{self, Position, Unfinished};
use crate::refusals::Refusal;
use crate::route::Route;
use crate::router::{Declared, Router};
use crate::scheduler::{self, Due, Scheduler};
use crate::script_store::ScriptStore;
use crate::sequencer::{Note, Sequencer};
use crate::slot::{Slot, Surroundings};
use crate::status::{Board, ScriptState, ScriptStatus, Status, ThreadStatus};
use crate::supervisor::{self, Platforms};
use crate::tables::{RECOVERY, WaitingRun};
use crate::tasks::TaskBook;
use crate::timers::{TimerBook, TimerUsage, TimerUsages};
use crate::vitals::{Fatal, Pulse, Vitals};
use crate::worker::{self, Task};
use crate::workers::Workers;

/// How long a stop waits for runs and actions under way; what is left is taken up by the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// A worker's stack: a script's recursion through the host takes up to 200 frames of C.
const WORKER_STACK: usize = 8 << 20;

/// What an engine is made of.
pub struct Options {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The bots, each with its platform.
    pub bots: Vec<(Bot, Arc<dyn Adapter>)>,
    /// The scripts.
    pub scripts: Vec<ScriptSetup>,
    /// Threads that run scripts.
    pub workers: usize,
    /// How long the journal is kept.
    pub journal_retention: Duration,
    /// What bots.yaml says of each bot.
    pub settings: HashMap<BotName, BotSettings>,
    /// Where troubles are told.
    pub operators: Operators,
    /// Who performs requests of scripts.
    pub http: Arc<dyn Http>,
}

/// A script and what bots.yaml says of it.
#[derive(Debug)]
pub struct ScriptSetup {
    /// Its name.
    pub name: ScriptName,
    /// Its files, or why they could not be read.
    pub source: Result<Source, SourceError>,
    /// What it may use up.
    pub limits: Limits,
    /// What it reads as `config`.
    pub config: serde_json::Value,
    /// What it may do beyond answering where it is attached.
    pub grants: Vec<String>,
    /// The bots whose events it gets; `None` is all.
    pub bots: Option<Vec<BotName>>,
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    /// The operating system had no thread to give.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The running engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    around: Surroundings,
    notes: Sender<Note>,
    workers: Workers,
    specs: Specs,
    platforms: Arc<Platforms>,
    outbox: Arc<Outbox>,
    scripts: Mutex<Vec<Known>>,
    left: Mutex<Left>,
    backlog: Arc<AtomicUsize>,
    stalled: Arc<Board<Option<String>>>,
    shutdown: watch::Sender<bool>,
    settings: Arc<HashMap<BotName, BotSettings>>,
    declared: Arc<Board<Arc<Declared>>>,
    metrics: Arc<Metrics>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
    vitals: Arc<Vitals>,
}

struct Known {
    name: ScriptName,
    board: Arc<Board<ScriptStatus>>,
    /// Events that wait for it.
    waiting: Arc<AtomicU64>,
    timers: Arc<TimerUsage>,
}

impl Known {
    fn status(&self) -> ScriptStatus {
        let status = self.board.read();
        ScriptStatus {
            waiting_events: self.waiting.load(Acquire) + status.set_aside_events,
            timers: self.timers.count(),
            timer_bytes: self.timers.bytes(),
            ..status
        }
    }
}

/// A script that has its place, and what there is for it from before.
struct Added {
    name: ScriptName,
    slot: usize,
    outcome: Result<Vec<String>, Failure>,
    unfinished: Option<Unfinished>,
    waiting: Vec<(ScriptName, u64, WaitingRun)>,
}

/// What the last daemon left, until the script that it is for is there.
#[derive(Default)]
struct Left {
    unfinished: HashMap<ScriptName, Unfinished>,
    waiting: Vec<(ScriptName, u64, WaitingRun)>,
    marks: HashMap<ScriptName, u64>,
    timers: TimerUsages,
}

struct Sink(Sender<Note>);

impl EventSink for Sink {
    fn emit(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, true)
    }

    fn emit_unhurried(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, false)
    }
}

impl Sink {
    fn hand_over(&self, event: Event, rows: Batch, is_urgent: bool) -> Receipt {
        let (sender, receipt) = Receipt::channel();
        // A sequencer that has stopped drops the sender, and the receipt says so.
        drop(self.0.send(Note::Emit { event, rows, receipt: sender, is_urgent }));
        receipt
    }
}

impl Engine {
    /// Takes up what the last engine on this store left, loads the scripts, and only then lets the bots in. A script that does
    /// not load is reported in the log and in the status; it stops nobody else.
    ///
    /// # Errors
    /// When the store cannot be read, or there are no threads.
    pub async fn start(options: Options) -> Result<Self, EngineError> {
        let Options { store, clock, entropy, bots, scripts, workers, journal_retention, settings, operators, http } =
            options;
        let now = clock.now();
        let (clock_row, back) = ClockRow::begin(&store.snapshot(now)?, now)?;
        if let Some(back) = back {
            tracing::warn!("{}", back.sentence());
            move_ends(&store, back).await?;
        }
        let snapshot = store.snapshot(now)?;
        let patience = |bot: &str| settings.get(bot).map(|of| of.outbox).unwrap_or_default().answers_expire;
        let mut found = recovery::look(&snapshot, now, patience)?;
        store.commit(std::mem::take(&mut found.batch)).await?;

        let (scheduler, requests) = Scheduler::new();
        let mut timers = TimerBook::load(&snapshot, scheduler.clone())?;
        let mut tasks_of_scripts = TaskBook::load(&snapshot, scheduler.clone(), &found.alive())?;
        drop(snapshot);
        let mut noted = Batch::default();
        if let Some(back) = &back {
            timers.went_back(back, &mut noted);
            tasks_of_scripts.went_back(back, &mut noted);
        }
        clock_row.put(&mut noted);
        store.commit(noted).await?;
        let platforms = Arc::new(Platforms::new(bots, &settings));
        let (notes, queue) = crossbeam_channel::unbounded();
        let (shutdown, word) = {
            let (sender, receiver) = Shutdown::channel();
            (sender, receiver)
        };
        let outbox = Arc::new(Outbox {
            platforms: Arc::clone(&platforms),
            store: store.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            notes: notes.clone(),
            shutdown: word.clone(),
            runtime: tokio::runtime::Handle::current(),
            lanes_running: tokio_util::task::TaskTracker::new(),
            pending: AtomicUsize::new(0),
            leave: std::sync::atomic::AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            lanes: Mutex::default(),
        });
        let seq = Arc::new(AtomicU64::new(found.next_seq));
        let ticker = Ticker::start().map_err(EngineError::Thread)?;
        let metrics = Arc::new(Metrics::default());
        let around = Surroundings {
            clock: Arc::clone(&clock),
            scheduler: scheduler.clone(),
            ticker,
            seq: Arc::clone(&seq),
            metrics: Arc::clone(&metrics),
            notes: notes.clone(),
        };
        let prefixes = settings.iter().filter_map(|(bot, of)| Some((bot.clone(), of.prefix.clone()?))).collect();
        let declared = Arc::new(Board::new(Arc::default()));

        let vitals = Arc::new(Vitals::new());
        let (rebuilds, rebuild_slots) = mpsc::unbounded_channel();
        let mut threads = Vec::new();
        let mut tasks_of_workers = Vec::new();
        for index in 0..workers.max(1) {
            let (sender, receiver) = crossbeam_channel::unbounded();
            let notes = notes.clone();
            let name = format!("script-worker-{index}");
            let thread = vitals.spawn(&name, WORKER_STACK, move |pulse| worker::run(index, &receiver, &notes, pulse));
            let thread = thread.map_err(EngineError::Thread)?;
            threads.push(thread);
            tasks_of_workers.push(sender);
        }
        let (reader, reads) = crossbeam_channel::unbounded();
        let (read_store, read_notes) = (store.clone(), notes.clone());
        let read = move |pulse: &Pulse| read_back::run(&read_store, &reads, &read_notes, pulse);
        threads.push(vitals.spawn("journal-reader", WORKER_STACK, read).map_err(EngineError::Thread)?);
        let low = Arc::new(AtomicU64::new(found.low));
        let backlog = Arc::new(AtomicUsize::new(0));
        let stalled = Arc::new(Board::new(None));
        let timer_usages = timers.usages();
        let sequencer = Sequencer {
            store: store.clone(),
            clock: Arc::clone(&clock),
            notes: queue,
            own_notes: notes.clone(),
            workers: tasks_of_workers.clone(),
            routes: Vec::new(),
            outbox: Arc::clone(&outbox),
            timers,
            tasks: tasks_of_scripts,
            clock_row,
            router: Router::new(prefixes, Arc::clone(&metrics)),
            declared: Arc::clone(&declared),
            http,
            metrics: Arc::clone(&metrics),
            operators,
            seq,
            number: found.next_block,
            low: Arc::clone(&low),
            backlog: Arc::clone(&backlog),
            stalled: Arc::clone(&stalled),
            reader,
            vitals: Arc::clone(&vitals),
            rebuilds,
        };
        let mut outstanding: HashMap<u64, usize> = HashMap::new();
        let configured: Vec<_> = scripts.iter().map(|setup| &setup.name).collect();
        // What scripts that are no longer there have left is not waited for.
        found.unfinished.retain(|script, _| configured.contains(&script));
        for entry in &found.actions {
            *outstanding.entry(entry.position.block).or_default() += 1;
        }
        let sequence = move |pulse: &Pulse| sequencer.run(outstanding.into_iter().collect(), pulse);
        threads.push(vitals.spawn("sequencer", WORKER_STACK, sequence).map_err(EngineError::Thread)?);

        let pool = Workers::new(tasks_of_workers);
        let specs = Specs::default();
        let rebuilder =
            Rebuilder { store: store.clone(), workers: pool.clone(), notes: notes.clone(), specs: specs.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(rebuilder.run(rebuild_slots));
        let cleaner = Cleaner {
            store: store.clone(),
            low,
            retention: journal_retention,
            shutdown: word.clone(),
            running: outbox.lanes_running.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let wake = waker(notes.clone(), scheduler.clone(), cleaner);
        tasks.spawn(scheduler::run(Arc::clone(&clock), requests, wake));
        tasks.spawn(clock_watch::watch(Arc::clone(&clock), notes.clone()));
        scheduler.at(now + HOUSEKEEPING, Due::Housekeeping);

        let engine = Self {
            store,
            clock: Arc::clone(&clock),
            entropy,
            around,
            notes: notes.clone(),
            workers: pool,
            specs,
            platforms: Arc::clone(&platforms),
            outbox,
            scripts: Mutex::default(),
            left: Mutex::new(Left {
                unfinished: found.unfinished,
                waiting: found.waiting,
                marks: found.marks,
                timers: timer_usages,
            }),
            backlog,
            stalled,
            shutdown,
            settings: Arc::new(settings),
            declared,
            metrics,
            threads: Mutex::new(threads),
            tasks: tokio::sync::Mutex::new(JoinSet::new()),
            vitals,
        };
        let depends = |setup: &ScriptSetup| setup.source.as_ref().map(Source::depends).unwrap_or_default();
        let grouped: Vec<_> = scripts.iter().map(|setup| (setup.name.clone(), depends(setup))).collect();
        engine.workers.group(&grouped);
        // All of them are there before any takes up what was left: it may keep its worker busy.
        let mut added = Vec::with_capacity(scripts.len());
        for setup in scripts {
            added.push(engine.introduce(setup).await);
        }
        for added in added {
            // Why a script does not load is in the log and in its status.
            drop(engine.take_up(added).await);
        }
        // What scripts declare is known from here on.
        let (sender, seen) = oneshot::channel();
        engine.note(Note::Seen(sender));
        drop(seen.await);
        engine.take_up_outbox(found.actions, found.spilled, found.aside, found.outbox_rows);
        if let Some(back) = back {
            engine.note(Note::Notice(back.sentence()));
        }
        let gate = Arc::new(ScriptsGate {
            declared: Arc::clone(&engine.declared),
            workers: engine.workers.clone(),
            settings: Arc::clone(&engine.settings),
        });
        // Each bot gets its own name and commands.
        let (_, commands) = watch::channel(Arc::default());
        let condition = watch::Sender::default();
        let context = AdapterContext {
            bot: nobody(),
            sink: Arc::new(Sink(notes)),
            gate,
            commands,
            condition,
            clock,
            shutdown: word,
        };
        supervisor::start(&platforms, &context, &mut tasks);
        *engine.tasks.lock().await = tasks;
        Ok(engine)
    }

    /// Goes on with actions that the last daemon left.
    fn take_up_outbox(
        &self,
        actions: Vec<Entry>,
        spilled: Vec<(String, Class)>,
        aside: Vec<(ChainId, Position, u32)>,
        rows: Vec<(String, usize)>,
    ) {
        for (bot, bytes) in rows {
            self.outbox.bot(&bot).take_in(bytes);
        }
        for entry in &actions {
            let bot = self.outbox.bot(entry.bot());
            bot.take_in(entry.bytes);
            bot.queue(entry.class).in_memory += 1;
        }
        for (bot, class) in &spilled {
            self.outbox.bot(bot).queue(*class).spilled += 1;
        }
        self.outbox.resume_aside(aside);
        self.outbox.push(actions);
        self.outbox.spilled(&spilled);
    }

    /// Adds a script and loads it. One that does not load stays, and takes its events once it does.
    ///
    /// # Errors
    /// Why it does not load.
    pub async fn add_script(&self, setup: ScriptSetup) -> Result<Vec<String>, Failure> {
        let added = self.introduce(setup).await;
        self.take_up(added).await
    }

    /// Makes a place for the script and loads it there.
    async fn introduce(&self, setup: ScriptSetup) -> Added {
        let ScriptSetup { name, source, limits, config, grants, bots } = setup;
        let (slot, unfinished, waiting) = {
            let mut scripts = lock(&self.scripts);
            let slot = scripts.len();
            let mut left = lock(&self.left);
            let board = Arc::new(Board::new(ScriptStatus {
                name: name.clone(),
                version: None,
                hooks: Vec::new(),
                declares: Vec::new(),
                state: ScriptState::Broken,
                last_error: source.as_ref().err().map(ToString::to_string),
                memory_bytes: 0,
                waiting_runs: 0,
                timers: 0,
                timer_bytes: 0,
                waiting_events: 0,
                set_aside_events: 0,
            }));
            let waiting_events = Arc::new(AtomicU64::new(0));
            let timers = left.timers.of(&name);
            scripts.push(Known {
                name: name.clone(),
                board: Arc::clone(&board),
                waiting: Arc::clone(&waiting_events),
                timers: Arc::clone(&timers),
            });
            let asking = Arc::new(AtomicUsize::new(0));
            let depends = source.as_ref().map(Source::depends).unwrap_or_default();
            let worker = self.workers.place(slot, &name, &depends);
            let hosts: Vec<String> =
                grants.iter().filter_map(|grant| grant.strip_prefix("http:").map(ToOwned::to_owned)).collect();
            // They were checked when the configuration was read.
            let hosts = Grants::parse(&hosts).unwrap_or_default();
            self.note(Note::Route(Box::new(Route {
                name: name.clone(),
                worker,
                bots,
                asking: Arc::clone(&asking),
                mark: left.marks.get(&name).copied(),
                hooks: Vec::new(),
                declared: Arc::default(),
                hosts: Arc::new(Outgoing::new(hosts, &limits)),
                window: std::collections::VecDeque::new(),
                window_bytes: 0,
                lag: None,
                waiting: Arc::clone(&waiting_events),
                cautious: None,
                outgoing: Vec::new(),
                version: "".into(),
                is_ready: false,
                is_down: false,
            })));
            let (around, seed) = (self.around.clone(), self.entropy.next());
            let (store, platforms) = (self.store.clone(), Arc::clone(&self.platforms));
            let (settings, declared) = (Arc::clone(&self.settings), Arc::clone(&self.declared));
            let metrics = Arc::clone(&self.metrics);
            let of_slot = name.clone();
            // Cloned for each time: should its worker fail, it is made anew.
            let adopt = move || {
                let (of_slot, store, platforms) = (of_slot.clone(), store.clone(), Arc::clone(&platforms));
                let (grants, timers, settings) = (grants.clone(), Arc::clone(&timers), Arc::clone(&settings));
                let (declared, metrics, limits) = (Arc::clone(&declared), Arc::clone(&metrics), limits.clone());
                let (config, around, asking, board) =
                    (config.clone(), around.clone(), Arc::clone(&asking), Arc::clone(&board));
                Task::Adopt(Box::new(move |neighbours| {
                    let usage = store.stored_bytes(of_slot.as_str()).unwrap_or_else(|error| {
                        tracing::error!(script = %of_slot, "how much it stores cannot be read; taken for nothing: {error}");
                        Arc::default()
                    });
                    let store = ScriptStore::new(
                        of_slot.clone(),
                        store,
                        platforms,
                        grants,
                        usage,
                        timers,
                        settings,
                        declared,
                        neighbours.clone(),
                        metrics,
                    );
                    let neighbours = neighbours.clone();
                    Slot::new(slot, of_slot, limits, config, around, store, neighbours, seed, asking, board)
                }))
            };
            self.task(slot, adopt());
            let spec = Spec { name: name.clone(), adopt: Box::new(adopt), source: None, config: None };
            self.specs.lock().insert(slot, spec);
            let waiting: Vec<_> = left.waiting.extract_if(.., |(script, ..)| *script == name).collect();
            (slot, left.unfinished.remove(&name), waiting)
        };
        let outcome = match source {
            Ok(source) => self.load(slot, source, None, Reason::Start).await,
            Err(error) => {
                tracing::error!(script = %name, "{error}");
                Err(Failure::new(error.to_string()))
            }
        };
        Added { name, slot, outcome, unfinished, waiting }
    }

    /// Hands a script what the last daemon left for it; from then on it takes what is new.
    async fn take_up(&self, added: Added) -> Result<Vec<String>, Failure> {
        let Added { name, slot, outcome, unfinished, waiting } = added;
        for (_, seq, run) in waiting {
            self.task(slot, Task::Interrupted { slot, seq, run: Box::new(run) });
        }
        if let Some(unfinished) = unfinished {
            tracing::info!(script = %name, events = unfinished.count, "taking up what the last daemon left");
            if outcome.is_ok() {
                // Should the daemon go down now, one of these events may be to blame; so this is noted before the first begins.
                let mut batch = Batch::default();
                RECOVERY.put(&mut batch, &name.to_string(), &unfinished.tries);
                if let Err(error) = self.store.commit(batch).await {
                    tracing::warn!(script = %name, "cannot note that its events are taken up: {error}");
                }
            }
            self.note(Note::Recovered { slot, unfinished: Box::new(unfinished) });
        }
        self.note(Note::Ready { slot });
        outcome
    }

    /// Lets a new version of a script take over, if it loads. The old one goes on until then, and if it does not.
    ///
    /// # Errors
    /// Why it does not load; or that there is no such script.
    pub async fn reload(&self, source: Source) -> Result<Vec<String>, Failure> {
        let Some(slot) = self.slot(&source.name) else {
            return Err(Failure::new(format!("there is no script named {}", source.name)));
        };
        self.load(slot, source, None, Reason::Reload).await
    }

    /// As [`Engine::reload`], with what the script's manifest makes of its configuration now.
    ///
    /// # Errors
    /// Why it does not load.
    pub async fn reload_configured(&self, source: Source, config: Value) -> Result<Vec<String>, Failure> {
        let Some(slot) = self.slot(&source.name) else {
            return Err(Failure::new(format!("there is no script named {}", source.name)));
        };
        self.load(slot, source, Some(config), Reason::Reload).await
    }

    /// Lets a script leave whose files are gone. It comes back with [`Engine::reload`].
    pub fn unload(&self, name: &ScriptName) {
        if let Some(slot) = self.slot(name) {
            self.task(slot, Task::Unload { slot });
        }
    }

    /// Whether the engine knows a script of that name.
    #[must_use]
    pub fn has_script(&self, name: &ScriptName) -> bool {
        self.slot(name).is_some()
    }

    /// The state of everything.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut scripts: Vec<_> = lock(&self.scripts).iter().map(Known::status).collect();
        scripts.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let bots = self.platforms.status();
        Status {
            threads: self.threads(),
            back_pressure: Status::find_back_pressure(&bots, &scripts),
            bots,
            scripts,
            backlog: self.backlog.load(Acquire),
            stalled: self.stalled.read(),
        }
    }

    /// The actions that were not done since the last time that somebody asked; the last 256 of them are remembered.
    #[must_use]
    pub fn take_refusals(&self) -> Vec<Refusal> {
        self.platforms.refusals.take()
    }

    fn threads(&self) -> Vec<ThreadStatus> {
        let beat_age_ms =
            self.store.writing_for().map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let name = "store-writer".to_owned();
        let writer = ThreadStatus { name, alive: self.store.is_writing_possible(), beat_age_ms };
        self.vitals.threads().into_iter().chain([writer]).collect()
    }

    /// The routes of all scripts.
    #[must_use]
    pub fn routes(&self) -> Vec<(ScriptName, RouteSpec)> {
        self.declared.read().routes.clone()
    }

    /// Asks a script's route: what its function returns, once all that it did is durable.
    ///
    /// # Errors
    /// What it raised, or that it is not there.
    pub async fn request(&self, script: &ScriptName, route: &RouteSpec, request: Value) -> Result<Value, String> {
        let (reply, result) = oneshot::channel();
        let kind = EventKind::Request { route: route.key(), request };
        let event = Event::without_place(own_bot(), self.clock.now(), kind);
        self.note(Note::Request { script: script.clone(), event, reply });
        result.await.unwrap_or_else(|_| Err("the script is not there any more".to_owned()))
    }

    /// The metrics, as Prometheus reads them.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.metrics.text(&self.status(), &self.platforms.figures())
    }

    /// Where events go, for what is not an adapter.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn EventSink> {
        Arc::new(Sink(self.notes.clone()))
    }

    /// Returns when no event waits for a script, no action waits to be performed, and all of it is durable. Runs that wait for
    /// somebody or for the time do not count.
    pub async fn when_idle(&self) {
        let (sender, idle) = oneshot::channel();
        self.note(Note::WhenIdle(sender));
        // An error means that the sequencer has ended, and nothing is under way any more.
        drop(idle.await);
    }

    /// Returns when nothing happens any more by itself before the clock moves on: as [`Engine::when_idle`], and what was due has been
    /// done with all that followed from it. For clocks that stand still.
    pub async fn settle(&self) {
        let mut before = None;
        loop {
            self.when_idle_but_for_suspended().await;
            let (sender, settled) = oneshot::channel();
            self.note(Note::Settle(sender));
            let happened = settled.await.ok();
            self.when_idle_but_for_suspended().await;
            if happened.is_none() || happened == before {
                return;
            }
            before = happened;
        }
    }

    /// As [`Engine::when_idle`], though what waits for a suspended script is not waited for.
    async fn when_idle_but_for_suspended(&self) {
        let suspended = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let before = self.backlog.load(Acquire);
                tokio::time::sleep(Duration::from_millis(20)).await;
                let rests = self.status().scripts.iter().any(|script| script.state == ScriptState::Suspended);
                if rests && before == self.backlog.load(Acquire) {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.when_idle() => {}
            () = suspended => {}
        }
    }

    /// Returns when the daemon cannot go on, with the reason: then the process should end.
    pub async fn died(&self) -> Fatal {
        let mut fatal = self.vitals.fatal();
        let there = fatal.wait_for(Option::is_some).await.ok().and_then(|fatal| fatal.clone());
        match there {
            Some(fatal) => fatal,
            None => std::future::pending().await,
        }
    }

    /// When the next thing is due.
    #[must_use]
    pub fn next_due(&self) -> Millis {
        self.around.scheduler.next()
    }

    /// Which lines of a script have run, where its source asks for that to be counted.
    pub async fn coverage(&self, name: &ScriptName) -> Coverage {
        let Some(slot) = self.slot(name) else { return Coverage::default() };
        let (reply, coverage) = oneshot::channel();
        self.task(slot, Task::Coverage { slot, reply });
        coverage.await.unwrap_or_default()
    }

    /// Stops: the bots first, then what is under way is finished or left to the next start, then the scripts leave.
    pub async fn shutdown(&self) {
        self.shutdown.send_replace(true);
        let patience = tokio::time::sleep(STOP_PATIENCE);
        let is_idle = tokio::select! {
            () = self.when_idle() => true,
            () = patience => {
                tracing::warn!("not everything that was under way is finished; the next start goes on with it");
                false
            }
        };
        // What is begun from now on would be done without a note of it, and so again at the next start.
        self.outbox.leave.store(!is_idle, Release);
        for worker in self.workers.all() {
            drop(worker.send(Task::Stop));
        }
        let mut threads = std::mem::take(&mut *lock(&self.threads));
        // The reader of the journal and the sequencer, which the workers need to the end.
        let last = threads.split_off(threads.len().saturating_sub(2));
        join(threads).await;
        // What scripts did as they left.
        let last_words = async {
            while self.outbox.pending.load(Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if is_idle && tokio::time::timeout(STOP_PATIENCE, last_words).await.is_err() {
            tracing::warn!("not everything that scripts did as they left is done; the next start goes on with it");
        }
        self.outbox.leave.store(true, Release);
        // What is being performed is noted by the sequencer, or it would be done again at the next start.
        self.outbox.lanes_running.close();
        let lanes = tokio::time::timeout(STOP_PATIENCE, self.outbox.lanes_running.wait());
        if lanes.await.is_err() {
            tracing::warn!(
                "an action is still being performed; it is not waited for, and done again by the next start"
            );
        }
        let (done, stopped) = oneshot::channel();
        self.note(Note::Stop(done));
        drop(stopped.await);
        join(last).await;
        self.tasks.lock().await.shutdown().await;
    }

    async fn load(
        &self,
        slot: usize,
        source: Source,
        config: Option<Value>,
        reason: Reason,
    ) -> Result<Vec<String>, Failure> {
        if let Err(problem) = self.workers.bring_together(slot, &source.depends()) {
            tracing::error!(script = %source.name, "does not load: {problem}");
            if let Some(known) = lock(&self.scripts).get(slot) {
                known.board.write(|status| status.last_error = Some(problem.clone()));
            }
            return Err(Failure::new(problem));
        }
        let (reply, outcome) = oneshot::channel();
        let (kept, kept_config) = (source.clone(), config.clone());
        self.task(slot, Task::Load { slot, source: Box::new(source), config, reason, reply });
        let outcome = outcome.await.unwrap_or_else(|_| Err(Failure::new("the engine is stopping")));
        if outcome.is_ok()
            && let Some(spec) = self.specs.lock().get_mut(&slot)
        {
            spec.source = Some(kept);
            spec.config = kept_config.or(spec.config.take());
        }
        outcome
    }

    fn slot(&self, name: &ScriptName) -> Option<usize> {
        lock(&self.scripts).iter().position(|known| known.name == *name)
    }

    fn task(&self, slot: usize, task: Task) {
        self.workers.tell(slot, task);
    }

    fn note(&self, note: Note) {
        // The sequencer ends at shutdown alone.
        drop(self.notes.send(note));
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The runtime itself, where an event is of no bot.
pub(crate) fn own_bot() -> Bot {
    Bot { name: "palabre".into(), platform: "palabre".into() }
}

/// The adapters' context is made once, and each gets it with its own bot.
fn nobody() -> Bot {
    Bot { name: "".into(), platform: "".into() }
}

/// Moves the ends of rows that were set in a time that never was, before anything is read that has one.
async fn move_ends(store: &Store, back: WentBack) -> Result<(), EngineError> {
    let store = store.clone();
    let moving = tokio::task::spawn_blocking(move || store.move_expiries(back.from, |end| back.end(end)));
    // What reads and writes the store and nothing else does not panic.
    let moved = moving.await.unwrap_or(Ok(0))?;
    tracing::info!(rows = moved, "ends of stored values were moved with the clock");
    Ok(())
}

async fn join(threads: Vec<JoinHandle<()>>) {
    let waiting = tokio::task::spawn_blocking(|| {
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "ended by a panic; what was acknowledged is safe");
            }
        }
    });
    drop(waiting.await);
}
