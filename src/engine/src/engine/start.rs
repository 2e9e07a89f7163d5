//! Starts an engine: recovers its state, loads the scripts, and only then starts the bots.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};

use palabre_model::{AdapterContext, Batch, Bot, RoomId, Shutdown};
use palabre_script::{Source, Ticker};
use palabre_store::Store;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::{Engine, EngineError, Options, RecoveredWork, ScriptSetup, Sink, WORKER_STACK};
use crate::clock_watch::{ClockRow, LatestReading, WentBack};
use crate::gate::ScriptsGate;
use crate::housekeeping::{Cleaner, HOUSEKEEPING_INTERVAL, waker};
use crate::instance::ScriptContext;
use crate::metrics::Metrics;
use crate::outbox::{ChainId, Class, Entry, Outbox};
use crate::rebuild::{Rebuilder, Specs};
use crate::recovery::Position;
use crate::router::Router;
use crate::scheduler::{Due, Scheduler};
use crate::sequencer::{CoreMessage, Sequencer};
use crate::status::Published;
use crate::supervisor::Platforms;
use crate::tasks::TaskBook;
use crate::timers::TimerBook;
use crate::vitals::{Pulse, Vitals};
use crate::workers::Workers;
use crate::{clock_watch, read_back, recovery, scheduler, supervisor, worker};

impl Engine {
    /// Recovers the state in the store, loads the scripts, and only then starts the bots.
    ///
    /// A script that does not load is reported in the log and in the status; the others run.
    ///
    /// # Errors
    /// If the store cannot be read or written, or a thread cannot be started.
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
        let answers_expire = |bot: &str| settings.get(bot).map(|of| of.outbox).unwrap_or_default().answers_expire;
        let mut found = recovery::find_unfinished(&snapshot, now, answers_expire)?;
        store.commit(std::mem::take(&mut found.batch)).await?;

        let (scheduler, requests) = Scheduler::new();
        let mut timers = TimerBook::load(&snapshot, scheduler.clone())?;
        let mut tasks_of_scripts = TaskBook::load(&snapshot, scheduler.clone(), &found.alive())?;
        drop(snapshot);
        let mut rows = Batch::default();
        if let Some(back) = &back {
            timers.went_back(back, &mut rows);
            tasks_of_scripts.went_back(back, &mut rows);
        }
        clock_row.put(&mut rows);
        store.commit(rows).await?;
        let platforms = Arc::new(Platforms::new(bots, &settings));
        let (core, inbox) = crossbeam_channel::unbounded();
        let (shutdown, shutdown_signal) = {
            let (sender, receiver) = Shutdown::channel();
            (sender, receiver)
        };
        let outbox = Arc::new(Outbox {
            platforms: Arc::clone(&platforms),
            store: store.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            core: core.clone(),
            shutdown: shutdown_signal.clone(),
            runtime: tokio::runtime::Handle::current(),
            tasks: tokio_util::task::TaskTracker::new(),
            pending: AtomicUsize::new(0),
            leave: std::sync::atomic::AtomicBool::new(false),
            requests: AtomicUsize::new(0),
            queues: Mutex::default(),
        });
        let seq = Arc::new(AtomicU64::new(found.next_seq));
        let ticker = Ticker::start().map_err(EngineError::Thread)?;
        let metrics = Arc::new(Metrics::default());
        let cx = ScriptContext {
            clock: Arc::clone(&clock),
            scheduler: scheduler.clone(),
            ticker,
            seq: Arc::clone(&seq),
            metrics: Arc::clone(&metrics),
            core: core.clone(),
        };
        let prefixes = settings.iter().filter_map(|(bot, of)| Some((bot.clone(), of.prefix.clone()?))).collect();
        let declared = Arc::new(Published::new(Arc::default()));

        let vitals = Arc::new(Vitals::new());
        let (rebuilds, rebuild_ids) = mpsc::unbounded_channel();
        let mut threads = Vec::new();
        let mut tasks_of_workers = Vec::new();
        for index in 0..workers.max(1) {
            let (sender, receiver) = crossbeam_channel::unbounded();
            let core = core.clone();
            let name = format!("script-worker-{index}");
            let thread = vitals.spawn(&name, WORKER_STACK, move |pulse| worker::run(index, &receiver, &core, pulse));
            let thread = thread.map_err(EngineError::Thread)?;
            threads.push(thread);
            tasks_of_workers.push(sender);
        }
        let (reader, reads) = crossbeam_channel::unbounded();
        let (reader_store, reader_core) = (store.clone(), core.clone());
        let read = move |pulse: &Pulse| read_back::run(&reader_store, &reads, &reader_core, pulse);
        threads.push(vitals.spawn("journal-reader", WORKER_STACK, read).map_err(EngineError::Thread)?);
        let low_water_mark = Arc::new(AtomicU64::new(found.low_water_mark));
        let backlog = Arc::new(AtomicUsize::new(0));
        let stalled = Arc::new(Published::new(None));
        let timer_usages = timers.usages();
        let latest_reading = Arc::new(LatestReading::new(now));
        let sequencer = Sequencer {
            store: store.clone(),
            clock: Arc::clone(&clock),
            latest_reading: Arc::clone(&latest_reading),
            inbox,
            core: core.clone(),
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
            number: found.next_batch,
            low_water_mark: Arc::clone(&low_water_mark),
            backlog: Arc::clone(&backlog),
            stalled: Arc::clone(&stalled),
            reader,
            vitals: Arc::clone(&vitals),
            rebuilds,
        };
        let mut outstanding: HashMap<u64, usize> = HashMap::new();
        let configured: Vec<_> = scripts.iter().map(|setup| &setup.name).collect();
        // Nothing waits for events of scripts that are not configured any more.
        found.unfinished.retain(|script, _| configured.contains(&script));
        for entry in &found.actions {
            *outstanding.entry(entry.position.block).or_default() += 1;
        }
        let sequence = move |pulse: &Pulse| sequencer.run(outstanding.into_iter().collect(), pulse);
        threads.push(vitals.spawn("sequencer", WORKER_STACK, sequence).map_err(EngineError::Thread)?);

        let pool = Workers::new(tasks_of_workers);
        let specs = Specs::default();
        let rebuilder =
            Rebuilder { store: store.clone(), workers: pool.clone(), core: core.clone(), specs: specs.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(rebuilder.run(rebuild_ids));
        let cleaner = Cleaner {
            store: store.clone(),
            low_water_mark,
            retention: journal_retention,
            shutdown: shutdown_signal.clone(),
            running: outbox.tasks.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let wake = waker(core.clone(), scheduler.clone(), cleaner);
        tasks.spawn(scheduler::run(Arc::clone(&clock), requests, wake));
        tasks.spawn(clock_watch::watch(Arc::clone(&clock), latest_reading, core.clone()));
        scheduler.at(now + HOUSEKEEPING_INTERVAL, Due::Housekeeping);

        let engine = Self {
            store,
            clock: Arc::clone(&clock),
            entropy,
            cx,
            core: core.clone(),
            workers: pool,
            specs,
            platforms: Arc::clone(&platforms),
            outbox,
            scripts: Mutex::default(),
            recovered: Mutex::new(RecoveredWork {
                unfinished: found.unfinished,
                waiting: found.waiting,
                cursors: found.cursors,
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
        // All scripts are registered before any receives its recovered work, which may keep its
        // worker busy.
        let mut added = Vec::with_capacity(scripts.len());
        for setup in scripts {
            added.push(engine.register(setup).await);
        }
        for added in added {
            // The reason why a script does not load is in the log and in its status.
            drop(engine.activate(added).await);
        }
        // From here on the sequencer knows the declarations of all scripts.
        let (sender, seen) = oneshot::channel();
        engine.send(CoreMessage::Seen(sender));
        drop(seen.await);
        engine.recover_outbox(found.actions, found.spilled, found.chains, found.outbox_rows);
        if let Some(back) = back {
            engine.send(CoreMessage::NotifyOperator(back.sentence()));
        }
        let gate = Arc::new(ScriptsGate {
            declared: Arc::clone(&engine.declared),
            workers: engine.workers.clone(),
            settings: Arc::clone(&engine.settings),
        });
        // The supervisor sets the bot, commands and condition of each adapter.
        let (_, commands) = watch::channel(Arc::default());
        let condition = watch::Sender::default();
        let context = AdapterContext {
            bot: nobody(),
            sink: Arc::new(Sink(core)),
            gate,
            commands,
            condition,
            clock,
            shutdown: shutdown_signal,
        };
        supervisor::start(&platforms, &context, &mut tasks);
        *engine.tasks.lock().await = tasks;
        Ok(engine)
    }

    /// Queues the actions that the previous process left.
    fn recover_outbox(
        &self,
        actions: Vec<Entry>,
        spilled: Vec<(RoomId, Class)>,
        chains: Vec<(ChainId, Position, u32)>,
        rows: Vec<(String, usize)>,
    ) {
        for (bot, bytes) in rows {
            self.outbox.bot(&bot).reserve(bytes);
        }
        for entry in &actions {
            let bot = self.outbox.bot(entry.bot());
            bot.reserve(entry.bytes);
            bot.counts(entry.class).found(entry.action.room(), true);
        }
        for (room, class) in &spilled {
            self.outbox.bot(room.bot()).counts(*class).found(room, false);
        }
        self.outbox.resume_chains(chains);
        self.outbox.push(actions);
        self.outbox.spilled(&spilled);
    }
}

/// Corrects expiry times that were set while the clock was ahead, before such a row is read.
async fn move_ends(store: &Store, back: WentBack) -> Result<(), EngineError> {
    let store = store.clone();
    let moving = tokio::task::spawn_blocking(move || store.move_expiries(back.from, |end| back.end(end)));
    // A task that only reads and writes the store does not panic.
    let moved = moving.await.unwrap_or(Ok(0))?;
    tracing::info!(rows = moved, "moved the expiry times of stored values with the clock");
    Ok(())
}

/// A placeholder: the context of adapters is built once, and the supervisor sets the bot of each.
fn nobody() -> Bot {
    Bot { name: "".into(), platform: "".into() }
}
