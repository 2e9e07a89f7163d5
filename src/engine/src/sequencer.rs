//! The thread that orders everything: numbers events, dispatches them and collects the results.
//!
//! It closes entry batches, each of which is one durable commit.

mod actions;
mod appending;
mod catching_up;
mod clock;
mod closing;
mod deliveries;
mod edits;
mod failed_actions;
mod heads;
mod intake;
mod quiesce;
mod recent_batches;
mod release;
mod run_batches;
mod scripts;
mod state;
mod workers;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use palabre_outbox::Outbox;
use palabre_platform::{Pulse, TrackedTasks, Vitals};
use palabre_runner::{Activation, Published, Task, TimerUsages, Workers};
use palabre_state::ClockRow;
use palabre_types::{Event, ScriptName};
use tokio::sync::mpsc;

use self::release::Releaser;
use self::state::State;
use crate::clock_watch::LatestReading;
use crate::context::EngineContext;
use crate::http::Http;
use crate::message::CoreMessage;
use crate::operators::Operators;
use crate::pending_waits::Requests;
use crate::read_back::ReadBack;
use crate::rebuild::Rebuild;
use crate::route::Route;
use crate::router::Router;
use crate::scheduler::Due;
use crate::stored_versions::StoredVersions;
use crate::tasks::TaskBook;

/// Records at which a batch is closed while another is being written, so that disk and CPU overlap.
const PIPELINE_RECORDS: usize = 8_192;
/// Maximum number of messages that one round handles.
const ROUND_MESSAGES_MAX: usize = 8_192;
/// Delay before a write that the store refused is tried again.
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);

/// The components that a sequencer uses.
pub(crate) struct SequencerOptions {
    pub(crate) inbox: Receiver<CoreMessage>,
    pub(crate) workers: Workers,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) background: TrackedTasks,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) operators: Operators,
    /// The channel to the reader of the journal.
    pub(crate) reader: Sender<ReadBack>,
    /// The channel to the rebuilder.
    pub(crate) rebuilds: mpsc::UnboundedSender<Rebuild>,
    pub(crate) vitals: Arc<Vitals>,
    pub(crate) latest_reading: Arc<LatestReading>,
    pub(crate) initial: InitialState,
}

/// The state that a sequencer continues from.
pub(crate) struct InitialState {
    pub(crate) clock_row: ClockRow,
    pub(crate) machine: palabre_state::State,
    pub(crate) timer_usages: TimerUsages,
    pub(crate) tasks: TaskBook,
    pub(crate) versions: StoredVersions,
    /// The number of the next entry batch.
    pub(crate) next_batch: u64,
    pub(crate) low_water_mark: u64,
    /// The number of unfinished actions of each entry batch.
    pub(crate) outstanding: BTreeMap<u64, usize>,
    /// The batch of the first unfinished event of each script that has not been handed its events.
    pub(crate) recovering: HashMap<ScriptName, u64>,
}

/// The state that the sequencer publishes.
#[derive(Clone)]
pub(crate) struct Progress {
    /// Number of events that wait for scripts, and of actions and HTTP requests that are not done.
    pub(crate) backlog: Arc<AtomicUsize>,
    /// The reason why nothing can be saved at present.
    pub(crate) stalled: Arc<Published<Option<String>>>,
    /// The low-water mark: the oldest entry batch with something unfinished.
    pub(crate) low_water_mark: Arc<AtomicU64>,
}

/// The sequencer, with everything that it is connected to.
pub(crate) struct Sequencer {
    cx: EngineContext,
    inbox: Receiver<CoreMessage>,
    workers: Workers,
    routes: Vec<Route>,
    router: Router,
    outbox: Arc<Outbox>,
    requests: Arc<Requests>,
    background: TrackedTasks,
    http: Arc<dyn Http>,
    operators: Operators,
    reader: Sender<ReadBack>,
    rebuilds: mpsc::UnboundedSender<Rebuild>,
    vitals: Arc<Vitals>,
    latest_reading: Arc<LatestReading>,
    clock_row: ClockRow,
    machine: palabre_state::State,
    timer_usages: TimerUsages,
    tasks: TaskBook,
    versions: StoredVersions,
    /// The number of the open batch.
    number: u64,
    progress: Progress,
}

impl Sequencer {
    /// Starts the thread. Returns what it publishes. It ends with [`CoreMessage::Stop`].
    ///
    /// # Errors
    /// If the operating system does not start the thread.
    pub(crate) fn start(cx: EngineContext, options: SequencerOptions) -> std::io::Result<(Progress, JoinHandle<()>)> {
        let vitals = Arc::clone(&options.vitals);
        let (sequencer, state) = Self::new(cx, options);
        let progress = sequencer.progress.clone();
        let thread = vitals.spawn("sequencer", move |pulse| sequencer.run(state, pulse))?;
        Ok((progress, thread))
    }

    fn new(cx: EngineContext, options: SequencerOptions) -> (Self, State) {
        let InitialState { clock_row, machine, timer_usages, tasks, versions, .. } = options.initial;
        let InitialState { next_batch, low_water_mark, outstanding, recovering, .. } = options.initial;
        let prefixes = cx.settings.iter().filter_map(|(bot, of)| Some((bot.clone(), of.prefix.clone()?))).collect();
        let router = Router::new(prefixes, Arc::clone(&cx.metrics));
        let (http, background) = (options.http, options.background);
        let requests = Arc::new(Requests::new(Arc::clone(&http), background.clone(), cx.core.clone()));
        let progress = Progress {
            backlog: Arc::new(AtomicUsize::new(0)),
            stalled: Arc::new(Published::new(None)),
            low_water_mark: Arc::new(AtomicU64::new(low_water_mark)),
        };
        let sequencer = Self {
            cx,
            inbox: options.inbox,
            workers: options.workers,
            routes: Vec::new(),
            router,
            outbox: options.outbox,
            requests,
            background,
            http,
            operators: options.operators,
            reader: options.reader,
            rebuilds: options.rebuilds,
            vitals: options.vitals,
            latest_reading: options.latest_reading,
            clock_row,
            machine,
            timer_usages,
            tasks,
            versions,
            number: next_batch,
            progress,
        };
        (sequencer, State { outstanding, recovering, ..State::default() })
    }

    /// Runs until it is stopped, then returns once everything possible is written.
    fn run(mut self, mut state: State, pulse: &Pulse) {
        let stop = loop {
            pulse.idle();
            let first = self.next(&state);
            pulse.beat();
            let Some(first) = first else {
                self.round(&mut state);
                continue;
            };
            let mut stop = None;
            let mut next = Some(first);
            let mut taken = 0;
            while let Some(message) = next {
                if let CoreMessage::Stop(done) = message {
                    stop = Some(done);
                    break;
                }
                self.take(message, &mut state);
                taken += 1;
                next = if taken < ROUND_MESSAGES_MAX { self.inbox.try_recv().ok() } else { None };
            }
            if let Some(done) = stop {
                break done;
            }
            self.round(&mut state);
        };
        self.finish(state);
        // The caller may be gone.
        let _asked = stop.send(());
    }

    /// Returns the next message; `None` when it is time for something else.
    fn next(&self, state: &State) -> Option<CoreMessage> {
        let deadline = state.open.deadline().filter(|_| state.in_flight == 0 && !state.is_stalled);
        let deadline = deadline.into_iter().chain(state.retry_at).chain(state.read_retry_at).min();
        match deadline {
            None => self.inbox.recv().ok(),
            Some(deadline) => self.inbox.recv_deadline(deadline).ok(),
        }
    }

    fn take(&mut self, message: CoreMessage, state: &mut State) {
        state.happened += u64::from(is_news(&message));
        match message {
            CoreMessage::Emit { event, rows, receipt, is_urgent } => {
                self.ingest(state, event, rows, (receipt, is_urgent));
            }
            CoreMessage::Write { write, receipt, is_urgent } => self.write(state, write, receipt, is_urgent),
            CoreMessage::RunBatches(run_batches) => self.propose(state, run_batches),
            CoreMessage::Edit(request) => self.edit(state, request),
            CoreMessage::Activated(Activation { script_id, hooks, declared, version, stored }) => {
                if let Some(stored) = stored {
                    self.put_version(state, script_id, &version, &stored);
                }
                self.activate_version(state, script_id, hooks, declared, version);
            }
            CoreMessage::Request { script, event, reply } => self.request(state, &script, event, reply),
            CoreMessage::Answered { script_id, run, answer } => {
                self.requests.answered();
                self.send_to_worker(script_id, Task::Answer { script_id, run, answer });
            }
            CoreMessage::NotifyOperator(text) => self.notify(state, &text),
            CoreMessage::Seen(asked) => {
                let _asked = asked.send(());
            }
            CoreMessage::Quiesce(asked) => self.quiesce(state, asked),
            CoreMessage::Barrier(number) => state.reached_barrier(number),
            CoreMessage::Register(registration) => self.routes.push(Route::new(*registration)),
            CoreMessage::Ready { script_id } => self.ready(state, script_id),
            CoreMessage::WorkerFailed { worker, running } => self.worker_failed(state, worker, running),
            CoreMessage::Rebuilt { script_id } => self.rebuilt(state, script_id),
            CoreMessage::Due(due, time) => self.due(state, due, time),
            CoreMessage::Clock { before, now } => self.clock_leapt(state, before, now),
            CoreMessage::ClockCorrected(back) => self.clock_corrected(back),
            CoreMessage::Completed(completed) => {
                for completed in completed {
                    self.completed(state, completed);
                }
            }
            CoreMessage::JournalBegins(oldest) => self.remove_versions(state, oldest),
            CoreMessage::Durable(released) => self.durable(state, &released),
            CoreMessage::NotDurable { number, batch, error } => self.not_durable(state, number, batch, &error),
            CoreMessage::Recovered { script_id, unfinished } => self.recovered(state, script_id, &unfinished),
            CoreMessage::ReadBack { script_id, from, read } => self.read_back(state, script_id, from, read),
            CoreMessage::WhenIdle(idle) => state.idle.push(idle),
            CoreMessage::WhenWritten(written) => state.written.push(written),
            CoreMessage::Stop(_) => {}
        }
    }

    /// Ends a round: passes events to workers, and closes the batch if it is time.
    fn round(&mut self, state: &mut State) {
        self.refill(state);
        let (mut unfinished, mut gathering) = (0, 0);
        for (script_id, route) in self.routes.iter_mut().enumerate() {
            if !route.outgoing.is_empty() {
                let events = std::mem::take(&mut route.outgoing);
                self.workers.send_to(route.worker, Task::Events { script_id, events });
            }
            route.waiting.store(route.unfinished(), Relaxed);
            unfinished += usize::try_from(route.unfinished()).unwrap_or(usize::MAX);
            // The batch does not wait for a script that lags.
            gathering += if route.lag.is_none() { route.window.len() } else { 0 };
        }
        gathering += state.open.rows_to_come;
        let backlog = unfinished + self.outbox.pending() + self.requests.in_flight();
        self.progress.backlog.store(backlog, Relaxed);
        if state.retry_at.is_some_and(|at| at <= Instant::now()) && state.in_flight == 0 {
            state.retry_at = None;
            self.resubmit(state);
        }
        if let Some(deadline) = state.open.deadline()
            && !state.is_stalled
        {
            let close = match state.in_flight {
                0 => (state.open.since.is_some() && gathering == 0) || deadline <= Instant::now(),
                1 => state.open.records() >= PIPELINE_RECORDS,
                _ => false,
            };
            if close {
                self.close(state);
            }
        }
        if state.open.deadline().is_none() && state.in_flight == 0 && state.refused.is_empty() {
            let idle = if backlog == 0 { std::mem::take(&mut state.idle) } else { Vec::new() };
            for asked in state.written.drain(..).chain(idle) {
                // The caller may be gone.
                let _asked = asked.send(());
            }
        }
    }

    /// Tells platforms that no more answers to an interaction follow.
    fn notify_finished(&self, events: impl IntoIterator<Item = Arc<Event>>) {
        for event in events {
            let Some(adapter) = self.cx.platforms.adapter(event.bot.name.as_str()).cloned() else { continue };
            self.background.spawn(async move { adapter.finished(&event).await });
        }
    }

    fn send_to_worker(&self, script_id: usize, task: Task) {
        if let Some(route) = self.routes.get(script_id) {
            self.workers.send_to(route.worker, task);
        }
    }

    fn releaser(&self) -> Releaser {
        Releaser {
            outbox: Arc::clone(&self.outbox),
            requests: Arc::clone(&self.requests),
            metrics: Arc::clone(&self.cx.metrics),
        }
    }
}

/// Whether a message is about something that happened, and not only asks or reports progress.
fn is_news(message: &CoreMessage) -> bool {
    !matches!(
        message,
        CoreMessage::Durable(_)
            | CoreMessage::JournalBegins(_)
            | CoreMessage::WhenIdle(_)
            | CoreMessage::WhenWritten(_)
            | CoreMessage::Barrier(_)
            | CoreMessage::Due(Due::Barrier(_), _)
            | CoreMessage::Quiesce(_)
            | CoreMessage::Seen(_)
    )
}
