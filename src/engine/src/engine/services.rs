//! The threads and tasks of an engine, except for the bots.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use palabre_outbox::{Outbox, OutboxContext, create_outbox};
use palabre_platform::{Entropy, Shutdown, TrackedTasks, Vitals};
use palabre_runner::{RunnerContext, Workers};
use palabre_script::Ticker;
use palabre_types::Millis;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock_watch::{self, LatestReading};
use crate::context::EngineContext;
use crate::housekeeping::{Cleaner, HOUSEKEEPING_INTERVAL, waker};
use crate::http::Http;
use crate::message::CoreMessage;
use crate::operators::Operators;
use crate::read_back;
use crate::rebuild::{Rebuilder, Specs};
use crate::scheduler::{self, Due};
use crate::sequencer::{InitialState, Progress, Sequencer, SequencerOptions};
use crate::sink::Sink;
use crate::worker_link::WorkerLink;

/// The components and settings of the services.
pub(super) struct ServicesOptions {
    /// The time of the start.
    pub(super) now: Millis,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) workers: usize,
    pub(super) journal_retention: Duration,
    pub(super) operators: Operators,
    pub(super) http: Arc<dyn Http>,
    pub(super) shutdown: Shutdown,
    /// The messages to the sequencer.
    pub(super) inbox: Receiver<CoreMessage>,
    /// The requests to the scheduler.
    pub(super) wake_ups: scheduler::Requests,
    pub(super) sequencer: InitialState,
}

/// The running services, as far as the engine uses them.
pub(super) struct Services {
    pub(super) workers: Workers,
    pub(super) specs: Specs,
    pub(super) outbox: Arc<Outbox>,
    pub(super) background: TrackedTasks,
    pub(super) progress: Progress,
    pub(super) vitals: Arc<Vitals>,
    pub(super) threads: Mutex<Threads>,
    /// The tasks that end with the engine.
    pub(super) tasks: tokio::sync::Mutex<JoinSet<()>>,
}

/// The threads of an engine.
#[derive(Default)]
pub(super) struct Threads {
    pub(super) workers: Vec<JoinHandle<()>>,
    /// The reader of the journal and the sequencer: the workers need them to the end.
    pub(super) last: Vec<JoinHandle<()>>,
}

impl Services {
    /// Starts the threads and tasks.
    pub(super) fn start(cx: &EngineContext, options: ServicesOptions) -> std::io::Result<Self> {
        let now = options.now;
        let background = TrackedTasks::new(Handle::current());
        let outbox = create_outbox(OutboxContext {
            bots: Arc::clone(&cx.platforms.outbox_bots),
            recent_deliveries: Arc::clone(&cx.platforms.recent_deliveries),
            store: cx.store.clone(),
            clock: Arc::clone(&cx.clock),
            entropy: options.entropy,
            deliveries: Arc::new(Sink(cx.core.clone())),
            shutdown: options.shutdown.clone(),
            background: background.clone(),
            last_batch: options.sequencer.next_batch.saturating_sub(1),
        });
        let vitals = Arc::new(Vitals::default());
        let (workers, worker_threads) = Workers::start(options.workers, &runner_context(cx)?, &vitals)?;
        let (reader, reader_thread) = read_back::start(cx.store.clone(), cx.core.clone(), &vitals)?;
        let (rebuilds, rebuild_ids) = mpsc::unbounded_channel();
        let latest_reading = Arc::new(LatestReading::new(now));
        let sequencer = SequencerOptions {
            inbox: options.inbox,
            workers: workers.clone(),
            outbox: Arc::clone(&outbox),
            background: background.clone(),
            http: options.http,
            operators: options.operators,
            reader,
            rebuilds,
            vitals: Arc::clone(&vitals),
            latest_reading: Arc::clone(&latest_reading),
            initial: options.sequencer,
        };
        let (progress, sequencer_thread) = Sequencer::start(cx.clone(), sequencer)?;

        let specs = Specs::default();
        let mut tasks = JoinSet::new();
        let rebuilder = Rebuilder { cx: cx.clone(), workers: workers.clone(), specs: specs.clone() };
        tasks.spawn(rebuilder.run(rebuild_ids));
        let cleaner = Cleaner {
            store: cx.store.clone(),
            core: cx.core.clone(),
            low_water_mark: Arc::clone(&progress.low_water_mark),
            retention: options.journal_retention,
            shutdown: options.shutdown,
            background: background.clone(),
        };
        let wake = waker(cx.core.clone(), cx.scheduler.clone(), cleaner);
        tasks.spawn(scheduler::run(Arc::clone(&cx.clock), options.wake_ups, wake));
        tasks.spawn(clock_watch::watch(Arc::clone(&cx.clock), latest_reading, cx.core.clone()));
        cx.scheduler.at(now + HOUSEKEEPING_INTERVAL, Due::Housekeeping);

        let threads = Threads { workers: worker_threads, last: vec![reader_thread, sequencer_thread] };
        let (threads, tasks) = (Mutex::new(threads), tokio::sync::Mutex::new(tasks));
        Ok(Self { workers, specs, outbox, background, progress, vitals, threads, tasks })
    }
}

/// Returns the context of the workers, with a thread that watches their VMs.
fn runner_context(cx: &EngineContext) -> std::io::Result<RunnerContext> {
    let (core, scheduler, metrics) = (cx.core.clone(), cx.scheduler.clone(), Arc::clone(&cx.metrics));
    Ok(RunnerContext {
        store: cx.store.clone(),
        clock: Arc::clone(&cx.clock),
        ticker: Ticker::start()?,
        bots: Arc::clone(&cx.platforms.outbox_bots),
        recent_deliveries: Arc::clone(&cx.platforms.recent_deliveries),
        settings: Arc::clone(&cx.settings),
        declared: Arc::clone(&cx.declared),
        seq: Arc::clone(&cx.seq),
        owner: Arc::new(WorkerLink { core, scheduler, metrics }),
    })
}
