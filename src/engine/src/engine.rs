//! Starting, asking and stopping the whole.

mod scripts;
mod start;

use std::collections::HashMap;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;
use palabre_model::{
    Adapter, Batch, Bot, BotName, Clock, Entropy, Event, EventKind, EventSink, Millis, Receipt, ScriptName,
};
use palabre_script::{Coverage, Limits, RouteSpec, Source, SourceError};
use palabre_store::Store;
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::http::Http;
use crate::metrics::Metrics;
use crate::operators::{BotSettings, Operators};
use crate::outbox::Outbox;
use crate::rebuild::Specs;
use crate::recovery::Unfinished;
use crate::refusals::Refusal;
use crate::router::Declared;
use crate::sequencer::Note;
use crate::slot::Surroundings;
use crate::status::{Board, ScriptState, ScriptStatus, Status, ThreadStatus};
use crate::supervisor::Platforms;
use crate::tables::WaitingRun;
use crate::timers::{TimerUsage, TimerUsages};
use crate::vitals::{Fatal, Vitals};
use crate::worker::Task;
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
