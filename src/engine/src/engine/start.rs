//! Starts an engine: recovers its state, loads the scripts, and only then starts the bots.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use palabre_outbox::UnfinishedActions;
use palabre_platform::{AdapterContext, Entropy, Shutdown};
use palabre_runner::{Published, ScriptsGate};
use palabre_script::Source;
use palabre_state::WentBack;
use palabre_types::Bot;
use tokio::sync::{oneshot, watch};

use super::Engine;
use super::options::{EngineError, Options, ScriptSetup};
use super::recover::{Recovered, RecoveredWork};
use super::services::{Services, ServicesOptions};
use crate::context::EngineContext;
use crate::idempotency::IdempotencyKeys;
use crate::message::CoreMessage;
use crate::metrics::Metrics;
use crate::platforms::Platforms;
use crate::scheduler::Scheduler;
use crate::sink::Sink;
use crate::supervisor;

/// An engine that has recovered its state, and runs nothing yet.
pub struct PreparedEngine {
    cx: EngineContext,
    entropy: Arc<dyn Entropy>,
    services: ServicesOptions,
    scripts: Vec<ScriptSetup>,
    work: RecoveredWork,
    actions: UnfinishedActions,
    back: Option<WentBack>,
    shutdown: watch::Sender<bool>,
    shutdown_signal: Shutdown,
}

impl PreparedEngine {
    /// Starts the threads, loads the scripts, and only then starts the bots.
    ///
    /// It must be awaited to its end, since only [`Engine::shutdown`] ends the threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let Self { cx, entropy, services, scripts, work, actions, back, shutdown, shutdown_signal } = self;
        let services = Services::start(&cx, services).map_err(EngineError::Thread)?;
        let engine = Engine { cx, entropy, services, scripts: Mutex::default(), recovered: Mutex::new(work), shutdown };
        // Before the scripts, whose new actions come after these; they begin once every script is
        // there to hear of a failure.
        engine.services.outbox.recover(actions);
        engine.start_scripts(scripts).await;
        engine.services.outbox.open();
        if let Some(back) = back {
            engine.cx.send(CoreMessage::NotifyOperator(back.sentence()));
        }
        engine.start_bots(shutdown_signal).await;
        Ok(engine)
    }
}

impl Engine {
    /// Recovers the state in the store, loads the scripts, and only then starts the bots.
    ///
    /// A script that does not load is reported in the log and in the status; the others run. While
    /// the disk is full, the start waits.
    ///
    /// # Errors
    /// If the store cannot be read or written, or a thread cannot be started.
    pub async fn start(options: Options) -> Result<Self, EngineError> {
        Self::prepare(options).await?.start().await
    }

    /// Recovers the state in the store, and runs nothing yet: to drop the result stops nothing.
    ///
    /// While the disk is full, this waits.
    ///
    /// # Errors
    /// If the store cannot be read or written.
    pub async fn prepare(options: Options) -> Result<PreparedEngine, EngineError> {
        let Options { store, clock, entropy, bots, scripts, workers, journal_retention, settings, operators, http } =
            options;
        let now = clock.now();
        let (scheduler, wake_ups) = Scheduler::new(Arc::clone(&clock));
        let recovered = Recovered::read(&store, now, &settings, &scheduler).await?;
        let Recovered { back, next_seq, mut work, actions, mut sequencer } = recovered;
        // Nothing waits for events of scripts that are not configured any more.
        work.unfinished.retain(|name, _| scripts.iter().any(|setup| setup.name == *name));
        sequencer.recovering =
            work.unfinished.iter().map(|(name, unfinished)| (name.clone(), unfinished.cursor.block)).collect();
        let (core, inbox) = crossbeam_channel::unbounded();
        let idempotency_keys = IdempotencyKeys::load(&store, &*entropy, now).await?;
        let cx = EngineContext {
            store,
            clock,
            scheduler,
            metrics: Arc::new(Metrics::default()),
            platforms: Arc::new(Platforms::new(bots, &settings)),
            settings: Arc::new(settings),
            declared: Arc::new(Published::new(Arc::default())),
            idempotency_keys,
            seq: Arc::new(AtomicU64::new(next_seq)),
            core,
        };
        let (shutdown, shutdown_signal) = Shutdown::channel();
        let services = ServicesOptions {
            now,
            entropy: Arc::clone(&entropy),
            workers,
            journal_retention,
            operators,
            http,
            shutdown: shutdown_signal.clone(),
            inbox,
            wake_ups,
            sequencer,
        };
        Ok(PreparedEngine { cx, entropy, services, scripts, work, actions, back, shutdown, shutdown_signal })
    }

    /// Adds the scripts. Returns once the sequencer knows the declarations of all of them.
    async fn start_scripts(&self, scripts: Vec<ScriptSetup>) {
        let depends = |setup: &ScriptSetup| setup.source.as_ref().map(Source::depends).unwrap_or_default();
        let grouped: Vec<_> = scripts.iter().map(|setup| (setup.name.clone(), depends(setup))).collect();
        self.services.workers.group(&grouped);
        // All scripts are registered before any receives its recovered work, which may keep its
        // worker busy.
        let mut added = Vec::with_capacity(scripts.len());
        for setup in scripts {
            added.push(self.register(setup).await);
        }
        for added in added {
            // The reason why a script does not load is in the log and in its status.
            drop(self.activate(added).await);
        }
        let (sender, seen) = oneshot::channel();
        self.cx.send(CoreMessage::Seen(sender));
        drop(seen.await);
    }

    /// Starts the bots, whose events the scripts receive from here on.
    async fn start_bots(&self, shutdown: Shutdown) {
        let gate = Arc::new(ScriptsGate {
            declared: Arc::clone(&self.cx.declared),
            workers: self.services.workers.clone(),
            settings: Arc::clone(&self.cx.settings),
        });
        // The supervisor sets the bot, commands and condition of each adapter.
        let (_, commands) = watch::channel(Arc::default());
        let context = AdapterContext {
            bot: nobody(),
            sink: Arc::new(Sink(self.cx.core.clone())),
            gate,
            commands,
            condition: watch::Sender::default(),
            clock: Arc::clone(&self.cx.clock),
            shutdown,
        };
        let mut tasks = self.services.tasks.lock().await;
        supervisor::start(&self.cx.platforms, &context, &mut tasks);
    }
}

/// A placeholder: the context of adapters is built once, and the supervisor sets the bot of each.
fn nobody() -> Bot {
    Bot { name: "".into(), platform: "".into() }
}
