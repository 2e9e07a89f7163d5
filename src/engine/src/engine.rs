//! Starts, queries and stops the engine.

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
use crate::instance::ScriptContext;
use crate::metrics::Metrics;
use crate::operators::{BotSettings, Operators};
use crate::outbox::Outbox;
use crate::rebuild::Specs;
use crate::recovery::Unfinished;
use crate::refusals::Refusal;
use crate::router::Declared;
use crate::sequencer::CoreMessage;
use crate::status::{Published, ScriptState, ScriptStatus, Status, ThreadStatus};
use crate::supervisor::Platforms;
use crate::tables::WaitingRun;
use crate::timers::{TimerUsage, TimerUsages};
use crate::vitals::{Fatal, Vitals};
use crate::worker::Task;
use crate::workers::Workers;

/// Time that a shutdown waits for runs and actions in flight; the next start continues the rest.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Stack of a worker in bytes: recursion of a script through the host takes up to 200 frames of C.
const WORKER_STACK: usize = 8 << 20;

/// Components and settings of an engine.
pub struct Options {
    /// The store of everything that is kept.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The bots, each with the adapter of its platform.
    pub bots: Vec<(Bot, Arc<dyn Adapter>)>,
    /// The scripts to load.
    pub scripts: Vec<ScriptSetup>,
    /// Number of threads that run scripts.
    pub workers: usize,
    /// Retention of the journal.
    pub journal_retention: Duration,
    /// Settings of bots.yaml, by bot.
    pub settings: HashMap<BotName, BotSettings>,
    /// Destinations of messages to the operator.
    pub operators: Operators,
    /// The HTTP client for requests of scripts.
    pub http: Arc<dyn Http>,
}

/// A script and its settings in bots.yaml.
#[derive(Debug)]
pub struct ScriptSetup {
    /// Its name.
    pub name: ScriptName,
    /// Its files, or why they could not be read.
    pub source: Result<Source, SourceError>,
    /// Its resource limits.
    pub limits: Limits,
    /// The value that it reads as `config`.
    pub config: serde_json::Value,
    /// Its grants: what it may do in addition to answering.
    pub grants: Vec<String>,
    /// The bots whose events it receives; `None` means all.
    pub bots: Option<Vec<BotName>>,
}

/// An error of [`Engine::start`].
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    /// The operating system did not start a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The running engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    cx: ScriptContext,
    core: Sender<CoreMessage>,
    workers: Workers,
    specs: Specs,
    platforms: Arc<Platforms>,
    outbox: Arc<Outbox>,
    scripts: Mutex<Vec<ScriptHandle>>,
    recovered: Mutex<RecoveredWork>,
    backlog: Arc<AtomicUsize>,
    stalled: Arc<Published<Option<String>>>,
    shutdown: watch::Sender<bool>,
    settings: Arc<HashMap<BotName, BotSettings>>,
    declared: Arc<Published<Arc<Declared>>>,
    metrics: Arc<Metrics>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
    vitals: Arc<Vitals>,
}

struct ScriptHandle {
    name: ScriptName,
    status: Arc<Published<ScriptStatus>>,
    /// Number of events that wait for it.
    waiting: Arc<AtomicU64>,
    timers: Arc<TimerUsage>,
}

impl ScriptHandle {
    fn status(&self) -> ScriptStatus {
        let status = self.status.read();
        ScriptStatus {
            waiting_events: self.waiting.load(Acquire) + status.set_aside_events,
            timers: self.timers.count(),
            timer_bytes: self.timers.bytes(),
            ..status
        }
    }
}

/// Work that the previous process left, kept until its script is added.
#[derive(Default)]
struct RecoveredWork {
    unfinished: HashMap<ScriptName, Unfinished>,
    waiting: Vec<(ScriptName, u64, WaitingRun)>,
    cursors: HashMap<ScriptName, u64>,
    timers: TimerUsages,
}

struct Sink(Sender<CoreMessage>);

impl EventSink for Sink {
    fn emit(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, true)
    }

    fn emit_deferred(&self, event: Event, rows: Batch) -> Receipt {
        self.hand_over(event, rows, false)
    }
}

impl Sink {
    fn hand_over(&self, event: Event, rows: Batch, is_urgent: bool) -> Receipt {
        let (sender, receipt) = Receipt::channel();
        // A sequencer that has stopped drops the sender, and the receipt reports that.
        drop(self.0.send(CoreMessage::Emit { event, rows, receipt: sender, is_urgent }));
        receipt
    }
}

impl Engine {
    /// Returns the state of bots, scripts, threads and queues.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut scripts: Vec<_> = lock(&self.scripts).iter().map(ScriptHandle::status).collect();
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

    /// Returns and forgets the actions that were not performed since the last call, at most 256.
    #[must_use]
    pub fn take_refusals(&self) -> Vec<Refusal> {
        self.platforms.refusals.take()
    }

    fn threads(&self) -> Vec<ThreadStatus> {
        let beat_age_ms =
            self.store.commit_duration().map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let name = "store-writer".to_owned();
        let writer = ThreadStatus { name, alive: self.store.is_writer_running(), beat_age_ms };
        self.vitals.threads().into_iter().chain([writer]).collect()
    }

    /// Returns the HTTP routes of all scripts.
    #[must_use]
    pub fn routes(&self) -> Vec<(ScriptName, RouteSpec)> {
        self.declared.read().routes.clone()
    }

    /// Calls a route of a script. Returns the result once everything that the run did is durable.
    ///
    /// # Errors
    /// The error that the route raised, or that the script is not running.
    pub async fn request(&self, script: &ScriptName, route: &RouteSpec, request: Value) -> Result<Value, String> {
        let (reply, result) = oneshot::channel();
        let kind = EventKind::Request { route: route.key(), request };
        let event = Event::without_place(own_bot(), self.clock.now(), kind);
        self.send(CoreMessage::Request { script: script.clone(), event, reply });
        result.await.unwrap_or_else(|_| Err("the script is not running any more".to_owned()))
    }

    /// Returns the metrics in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.metrics.text(&self.status(), &self.platforms.figures())
    }

    /// Returns a sink for events that do not come from an adapter.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn EventSink> {
        Arc::new(Sink(self.core.clone()))
    }

    /// Waits until no event waits for a script and no action is pending, and everything is durable.
    ///
    /// Runs that wait for an answer or for the time do not count.
    pub async fn when_idle(&self) {
        let (sender, idle) = oneshot::channel();
        self.send(CoreMessage::WhenIdle(sender));
        // An error means that the sequencer has ended, and nothing is in flight any more.
        drop(idle.await);
    }

    /// Waits until nothing more happens before the clock advances. For clocks that stand still.
    ///
    /// Includes what [`Engine::when_idle`] waits for, everything that is due, and all that follows
    /// from it.
    pub async fn quiesce(&self) {
        let mut before = None;
        loop {
            self.when_idle_but_for_suspended().await;
            let (sender, quiescent) = oneshot::channel();
            self.send(CoreMessage::Quiesce(sender));
            let happened = quiescent.await.ok();
            self.when_idle_but_for_suspended().await;
            if happened.is_none() || happened == before {
                return;
            }
            before = happened;
        }
    }

    /// Like [`Engine::when_idle`], but does not wait for events of suspended scripts.
    async fn when_idle_but_for_suspended(&self) {
        let suspended = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let before = self.backlog.load(Acquire);
                tokio::time::sleep(Duration::from_millis(20)).await;
                let is_suspended = self.status().scripts.iter().any(|script| script.state == ScriptState::Suspended);
                if is_suspended && before == self.backlog.load(Acquire) {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.when_idle() => {}
            () = suspended => {}
        }
    }

    /// Returns the reason once the daemon cannot continue; the process should then end.
    pub async fn died(&self) -> Fatal {
        let mut fatal = self.vitals.fatal();
        let there = fatal.wait_for(Option::is_some).await.ok().and_then(|fatal| fatal.clone());
        match there {
            Some(fatal) => fatal,
            None => std::future::pending().await,
        }
    }

    /// Returns the time when the next timer, task or wait is due.
    #[must_use]
    pub fn next_due(&self) -> Millis {
        self.cx.scheduler.next()
    }

    /// Returns the lines of a script that have run, if its source asks for coverage.
    pub async fn coverage(&self, name: &ScriptName) -> Coverage {
        let Some(script_id) = self.script_id(name) else { return Coverage::default() };
        let (reply, coverage) = oneshot::channel();
        self.task(script_id, Task::Coverage { script_id, reply });
        coverage.await.unwrap_or_default()
    }

    /// Stops the bots, then the scripts.
    ///
    /// In between, work in flight is finished; what takes too long is left to the next start.
    pub async fn shutdown(&self) {
        self.shutdown.send_replace(true);
        let timeout = tokio::time::sleep(SHUTDOWN_TIMEOUT);
        let is_idle = tokio::select! {
            () = self.when_idle() => true,
            () = timeout => {
                tracing::warn!("not everything in flight was finished in time; the next start continues it");
                false
            }
        };
        // An action begun from now on would not be recorded, and would be performed again by the
        // next start.
        self.outbox.leave.store(!is_idle, Release);
        for worker in self.workers.all() {
            drop(worker.send(Task::Stop));
        }
        let mut threads = std::mem::take(&mut *lock(&self.threads));
        // The reader of the journal and the sequencer come last: the workers need them to the end.
        let last = threads.split_off(threads.len().saturating_sub(2));
        join(threads).await;
        // Actions of `on_unload` hooks.
        let unload_actions = async {
            while self.outbox.pending.load(Acquire) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if is_idle && tokio::time::timeout(SHUTDOWN_TIMEOUT, unload_actions).await.is_err() {
            tracing::warn!("not every action of on_unload was performed in time; the next start continues them");
        }
        self.outbox.leave.store(true, Release);
        // The sequencer has to record the actions in flight, or the next start performs them again.
        self.outbox.tasks.close();
        let finished = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.outbox.tasks.wait());
        if finished.await.is_err() {
            tracing::warn!("an action is still in flight; it is abandoned, and the next start performs it again");
        }
        let (done, stopped) = oneshot::channel();
        self.send(CoreMessage::Stop(done));
        drop(stopped.await);
        join(last).await;
        self.tasks.lock().await.shutdown().await;
    }

    fn script_id(&self, name: &ScriptName) -> Option<usize> {
        lock(&self.scripts).iter().position(|known| known.name == *name)
    }

    fn task(&self, script_id: usize, task: Task) {
        self.workers.send(script_id, task);
    }

    fn send(&self, message: CoreMessage) {
        // The sequencer ends only at shutdown.
        drop(self.core.send(message));
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the bot of events that belong to no bot: the runtime itself.
pub(crate) fn own_bot() -> Bot {
    Bot { name: "palabre".into(), platform: "palabre".into() }
}

async fn join(threads: Vec<JoinHandle<()>>) {
    let waiting = tokio::task::spawn_blocking(|| {
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "the thread panicked; what was acknowledged is safe");
            }
        }
    });
    drop(waiting.await);
}
