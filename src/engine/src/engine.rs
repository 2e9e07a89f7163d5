//! Starts, queries and stops the engine.

mod edits;
pub(crate) mod options;
mod recover;
mod script_handle;
mod scripts;
mod services;
pub(crate) mod start;

use std::sync::atomic::Ordering::Acquire;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use palabre_platform::{Clock, Entropy, EventSink, Fatal, ThreadStatus};
use palabre_runner::{ScriptState, Task, own_bot};
use palabre_script::{Coverage, RouteSpec};
use palabre_types::{Event, EventKind, Millis, ScriptName};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use self::recover::RecoveredWork;
use self::script_handle::ScriptHandle;
use self::services::{Services, Threads};
use crate::context::EngineContext;
use crate::message::CoreMessage;
use crate::refusals::Refusal;
use crate::sink::Sink;
use crate::status::Status;

/// Time that a shutdown waits for runs and actions in flight; the next start continues the rest.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The running engine.
pub struct Engine {
    cx: EngineContext,
    entropy: Arc<dyn Entropy>,
    services: Services,
    scripts: Mutex<Vec<ScriptHandle>>,
    recovered: Mutex<RecoveredWork>,
    shutdown: watch::Sender<bool>,
}

impl Engine {
    /// Returns the state of bots, scripts, threads and queues.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut scripts: Vec<_> = lock(&self.scripts).iter().map(ScriptHandle::status).collect();
        scripts.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let bots = self.cx.platforms.status();
        Status {
            threads: self.threads(),
            back_pressure: Status::find_back_pressure(&bots, &scripts),
            bots,
            scripts,
            backlog: self.services.progress.backlog.load(Acquire),
            stalled: self.services.progress.stalled.read(),
        }
    }

    /// Returns and forgets the actions that were not performed since the last call, at most 256.
    #[must_use]
    pub fn take_refusals(&self) -> Vec<Refusal> {
        self.cx.platforms.refusals.take()
    }

    fn threads(&self) -> Vec<ThreadStatus> {
        let beat_age_ms =
            self.cx.store.commit_duration().map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let name = "store-writer".to_owned();
        let writer = ThreadStatus { name, alive: self.cx.store.is_writer_running(), beat_age_ms };
        self.services.vitals.threads().into_iter().chain([writer]).collect()
    }

    /// Returns the HTTP routes of all scripts.
    #[must_use]
    pub fn routes(&self) -> Vec<(ScriptName, RouteSpec)> {
        self.cx.declared.read().routes.clone()
    }

    /// Calls a route of a script. Returns the result once everything that the run did is durable.
    ///
    /// # Errors
    /// The error that the route raised, or that the script is not running.
    pub async fn request(&self, script: &ScriptName, route: &RouteSpec, request: Value) -> Result<Value, String> {
        let (reply, result) = oneshot::channel();
        let kind = EventKind::Request { route: route.key(), request };
        let event = Event::without_place(own_bot(), self.cx.clock.now(), kind);
        self.cx.send(CoreMessage::Request { script: script.clone(), event, reply });
        result.await.unwrap_or_else(|_| Err("the script is not running any more".to_owned()))
    }

    /// Returns the metrics in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.cx.metrics.text(&self.status(), &self.cx.platforms.figures())
    }

    /// Returns a sink for events that do not come from an adapter.
    #[must_use]
    pub fn sink(&self) -> Arc<dyn EventSink> {
        Arc::new(Sink(self.cx.core.clone()))
    }

    /// Waits until no event waits for a script and no action is pending, and everything is durable.
    ///
    /// Runs that wait for an answer or for the time do not count.
    pub async fn when_idle(&self) {
        let (sender, idle) = oneshot::channel();
        self.cx.send(CoreMessage::WhenIdle(sender));
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
            self.cx.send(CoreMessage::Quiesce(sender));
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
                let before = self.services.progress.backlog.load(Acquire);
                tokio::time::sleep(Duration::from_millis(20)).await;
                let is_suspended = self.status().scripts.iter().any(|script| script.state == ScriptState::Suspended);
                if is_suspended && before == self.services.progress.backlog.load(Acquire) {
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
        let mut fatal = self.services.vitals.fatal();
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
        let outbox = &self.services.outbox;
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
        if !is_idle {
            outbox.leave();
        }
        self.services.workers.send_to_all(|| Task::Stop);
        let Threads { workers, last } = std::mem::take(&mut *lock(&self.services.threads));
        join(workers).await;
        // Actions of `on_unload` hooks, which reach the outbox once they are durable.
        let unload_actions = async {
            self.when_written().await;
            while outbox.pending() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if is_idle && tokio::time::timeout(SHUTDOWN_TIMEOUT, unload_actions).await.is_err() {
            tracing::warn!("not every action of on_unload was performed in time; the next start continues them");
        }
        outbox.leave();
        // The sequencer has to record the actions in flight, or the next start performs them again.
        let finished = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.services.background.wait());
        if finished.await.is_err() {
            tracing::warn!("an action is still in flight; it is abandoned, and the next start performs it again");
        }
        let (done, stopped) = oneshot::channel();
        self.cx.send(CoreMessage::Stop(done));
        drop(stopped.await);
        join(last).await;
        self.services.tasks.lock().await.shutdown().await;
    }

    /// Waits until everything so far is durable, and its actions are in the outbox.
    async fn when_written(&self) {
        let (sender, written) = oneshot::channel();
        self.cx.send(CoreMessage::WhenWritten(sender));
        // An error means that the sequencer has ended.
        drop(written.await);
    }

    fn script_id(&self, name: &ScriptName) -> Option<usize> {
        lock(&self.scripts).iter().position(|known| known.name == *name)
    }

    fn task(&self, script_id: usize, task: Task) {
        self.services.workers.send(script_id, task);
    }

    /// Returns the clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.cx.clock
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
