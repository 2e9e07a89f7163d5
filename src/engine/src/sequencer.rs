//! The thread that orders everything: numbers events, dispatches them and collects the results.
//!
//! It closes entry batches, each of which is one durable commit.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Relaxed, Release},
};
use std::time::{Duration, Instant};

mod catching_up;
mod clock;
mod closing;
mod intake;
mod results;
mod workers;

use crossbeam_channel::{Receiver, Sender};
use palabre_model::{
    Action, ActionKey, Batch, BotName, Clock, Content, EmitError, Event, EventKind, EventName, Fault, Millis, Room,
    RoomId, ScriptName,
};
use palabre_script::{Answer, Change, Declarations, MetricChange};
use palabre_store::{Error, Op, Store, TableId};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::clock_watch::{ClockRow, LatestReading, WentBack};
use crate::entry_batch::{EntryBatch, EventRecord, RunOutcome, RunRecord, ScriptVersion};
use crate::http::Http;
use crate::instance::RunBatch;
use crate::interactions::Interactions;
use crate::metrics::Metrics;
use crate::open_batch::OpenBatch;
use crate::operators::Operators;
use crate::outbox::{Class, Completed, Delivery, Entry, Outbox, Stored, size};
use crate::pending_waits::{Fetch, Outcomes};
use crate::read_back::{Cursor, Read, ReadBack};
use crate::recovery::{DeadLetter, Position, RecoveryAttempts, Unfinished};
use crate::route::{Replay, Route};
use crate::router::{Declared, Router};
use crate::scheduler::Due;
use crate::status::Published;
use crate::tables::{
    DEAD_LETTERS, JOURNAL, LAST_BATCH, OUTBOX, QUEUE_CURSORS, RECOVERY, SCRIPT_CURSORS, SENDERS, SENT_MESSAGES,
    WAITING_RUNS, value_key,
};
use crate::tasks::TaskBook;
use crate::timers::TimerBook;
use crate::vitals::{Fatal, Pulse, Vitals};
use crate::worker::Task;

/// Records at which a batch is closed while another is being written, so that disk and CPU overlap.
const PIPELINE_RECORDS: usize = 8_192;
/// Maximum number of messages that one round handles.
const ROUND_MESSAGES_MAX: usize = 8_192;
/// Delay before a write that the store refused is tried again.
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);
/// Failed actions that are reported to a script per minute.
///
/// A platform that is away for long may leave thousands.
const FAULTS_PER_MINUTE: u32 = 120;
/// Maximum number of events about failed actions that are remembered.
const FAULT_EVENTS_MAX: usize = 4_096;
/// Retention of the platform's ids of sent messages, in milliseconds.
const SENT_RETENTION: Millis = 7 * 86_400_000;

/// The channel for the result of a route.
pub(crate) type ReplySender = oneshot::Sender<Result<Value, String>>;

pub(crate) type ReceiptSender = oneshot::Sender<Result<u64, EmitError>>;

/// A message to the sequencer.
#[allow(clippy::large_enum_variant, reason = "most are events, and a box for each would be one allocation more")]
pub(crate) enum CoreMessage {
    Emit {
        event: Event,
        rows: Batch,
        receipt: ReceiptSender,
        /// Whether the sender waits for the receipt.
        is_urgent: bool,
    },
    /// Run batches that belong together, and become durable together.
    RunBatches(Vec<RunBatch>),
    /// The active version of a script has changed.
    Hooks {
        script_id: usize,
        hooks: Vec<EventName>,
        declared: Arc<Declarations>,
        version: Arc<str>,
    },
    /// A call of one of a script's routes; the caller waits for the result.
    Request {
        script: ScriptName,
        event: Event,
        reply: ReplySender,
    },
    /// The answer to an HTTP request of a run.
    Answered {
        script_id: usize,
        seq: u64,
        part: u32,
        answer: Answer,
    },
    /// A text for the operator.
    NotifyOperator(String),
    /// Answered when this message is reached.
    Seen(oneshot::Sender<()>),
    /// A worker has reached a barrier.
    Barrier(u64),
    /// Answered once all workers and the scheduler have done what they were sent before.
    ///
    /// The answer says how much has happened so far.
    Quiesce(oneshot::Sender<u64>),
    /// A script has received all its recovered work.
    Ready {
        script_id: usize,
    },
    /// A worker has failed, while it was running that script.
    WorkerFailed {
        worker: usize,
        running: Option<usize>,
    },
    /// A script whose worker failed has been rebuilt.
    Rebuilt {
        script_id: usize,
    },
    /// A new script.
    Route(Box<Route>),
    Due(Due, Millis),
    /// The clock went back, or far ahead.
    Clock {
        before: Millis,
        now: Millis,
    },
    /// The store has applied the correction of a clock that went back.
    ClockCorrected(WentBack),
    Completed(Vec<Completed>),
    Durable {
        number: u64,
        cursors: Vec<(usize, u64)>,
    },
    NotDurable(Box<Refused>),
    /// Unfinished events of a script that the previous process left.
    Recovered {
        script_id: usize,
        unfinished: Box<Unfinished>,
    },
    /// Events of a lagging script, or the reason why they cannot be read.
    ReadBack {
        script_id: usize,
        /// The position where the read began.
        from: Cursor,
        read: Result<Read, String>,
    },
    /// Answered when every script has handled its events and every action is completed.
    WhenIdle(oneshot::Sender<()>),
    /// Write what there is, and end.
    Stop(oneshot::Sender<()>),
}

/// A batch that the store refused, to be submitted again.
pub(crate) struct Refused {
    number: u64,
    batch: Batch,
    after: After,
    error: Error,
}

/// The work that is released once a batch is durable.
struct After {
    receipts: Vec<(u64, ReceiptSender)>,
    entries: Vec<Entry>,
    /// The queues of actions that have become rows of the outbox instead.
    spilled: Vec<(RoomId, Class)>,
    /// Outbox rows that were deleted.
    removed: Vec<(String, Class, Position)>,
    run_batches: Vec<(Arc<AtomicU64>, u64)>,
    cursors: Vec<(usize, u64)>,
    fetches: Vec<Fetch>,
    replies: Vec<(ReplySender, Result<Value, String>)>,
    metrics: Vec<(ScriptName, MetricChange)>,
}

/// The sequencer, with everything that it is connected to.
pub(crate) struct Sequencer {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) latest_reading: Arc<LatestReading>,
    pub(crate) inbox: Receiver<CoreMessage>,
    pub(crate) core: Sender<CoreMessage>,
    pub(crate) workers: Vec<Sender<Task>>,
    pub(crate) routes: Vec<Route>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) timers: TimerBook,
    pub(crate) tasks: TaskBook,
    pub(crate) clock_row: ClockRow,
    pub(crate) router: Router,
    pub(crate) declared: Arc<Published<Arc<Declared>>>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) operators: Operators,
    pub(crate) seq: Arc<AtomicU64>,
    pub(crate) number: u64,
    pub(crate) low_water_mark: Arc<AtomicU64>,
    pub(crate) backlog: Arc<AtomicUsize>,
    pub(crate) stalled: Arc<Published<Option<String>>>,
    pub(crate) reader: Sender<ReadBack>,
    pub(crate) vitals: Arc<Vitals>,
    /// The channel to the rebuilder, for scripts whose worker failed.
    pub(crate) rebuilds: mpsc::UnboundedSender<usize>,
}

/// The sequencer's own state.
#[derive(Default)]
struct State {
    open: OpenBatch,
    in_flight: usize,
    /// The number of unfinished events and actions of each batch.
    outstanding: BTreeMap<u64, usize>,
    refused: BTreeMap<u64, (Batch, After)>,
    retry_at: Option<Instant>,
    /// Batches that are not durable yet, since scripts that lag may need them.
    undurable: BTreeMap<u64, (Vec<ScriptVersion>, Vec<EventRecord>)>,
    read_retry_at: Option<Instant>,
    idle: Vec<oneshot::Sender<()>>,
    is_stalled: bool,
    /// Callers that wait for the result of a request, by the event's sequence number.
    asked: HashMap<u64, ReplySender>,
    /// Callers that wait for a barrier, with the number of workers that have not reached it.
    barriers: HashMap<u64, (usize, oneshot::Sender<u64>)>,
    /// The events that reported failed actions to scripts.
    ///
    /// Failures of actions that their `on_error` sends are not reported; a deleted room would loop
    /// for ever.
    fault_events: VecDeque<u64>,
    interactions: Interactions,
    /// Scripts to be rebuilt, each once that batch is durable.
    rebuilding: Vec<(usize, u64)>,
    /// The number of failures of a worker at an event of a script.
    failures: HashMap<(usize, u64), u32>,
    /// The number of failed actions reported to each script in the minute that began then.
    faults: HashMap<ScriptName, (Millis, u32)>,
    /// The number of messages so far that were about something that happened.
    happened: u64,
    outcomes: Outcomes,
    /// The batch that was closed last, if any.
    last_batch: Option<u64>,
    /// The buffer for encoding batches.
    plain: Vec<u8>,
}

impl Sequencer {
    /// Runs until it is stopped, then returns once everything possible is written.
    pub(crate) fn run(mut self, left: Vec<(u64, usize)>, pulse: &Pulse) {
        let mut state = State { outstanding: left.into_iter().collect(), ..State::default() };
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
        let is_news = !matches!(
            message,
            CoreMessage::Durable { .. }
                | CoreMessage::WhenIdle(_)
                | CoreMessage::Barrier(_)
                | CoreMessage::Quiesce(_)
                | CoreMessage::Seen(_)
        );
        state.happened += u64::from(is_news && !matches!(message, CoreMessage::Due(Due::Barrier(_), _)));
        match message {
            CoreMessage::Emit { event, rows, receipt, is_urgent } => {
                self.ingest(state, event, rows, (receipt, is_urgent));
            }
            CoreMessage::RunBatches(run_batches) => {
                for run_batch in run_batches {
                    self.apply_run_batch(state, run_batch);
                }
            }
            CoreMessage::Hooks { script_id, hooks, declared, version } => {
                self.activate_version(state, script_id, hooks, declared, version);
            }
            CoreMessage::Request { script, event, reply } => {
                let is_there = self.routes.iter().any(|route| route.name == script && route.is_ready);
                if state.is_stalled || !is_there {
                    let why =
                        if is_there { "the store cannot be written at present" } else { "the script is not running" };
                    drop(reply.send(Err(why.to_owned())));
                } else if let Some(seq) = self.emit(state, event, Batch::default(), None, Some(&script)) {
                    state.asked.insert(seq, reply);
                }
            }
            CoreMessage::Answered { script_id, seq, part, answer } => {
                self.outbox.requests.fetch_sub(1, Relaxed);
                self.send_to_worker(script_id, Task::Answer { script_id, seq, part, answer });
            }
            CoreMessage::NotifyOperator(text) => self.notify(state, &text),
            CoreMessage::Seen(asked) => {
                let _asked = asked.send(());
            }
            CoreMessage::Quiesce(asked) => {
                let number = self.seq.fetch_add(1, Relaxed);
                state.barriers.insert(number, (self.workers.len(), asked));
                self.timers.scheduler().at(self.clock.now(), Due::Barrier(number));
            }
            CoreMessage::Barrier(number) => {
                if let Some((left, _)) = state.barriers.get_mut(&number) {
                    *left -= 1;
                    if *left == 0
                        && let Some((_, asked)) = state.barriers.remove(&number)
                    {
                        let _asked = asked.send(state.happened);
                    }
                }
            }
            CoreMessage::Route(route) => self.routes.push(*route),
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
            CoreMessage::Durable { number, cursors } => {
                state.in_flight -= 1;
                state.undurable.remove(&number);
                if state.is_stalled && state.refused.is_empty() {
                    tracing::info!(batch = number, "the store accepts writes again");
                    state.is_stalled = false;
                    self.stalled.write(|stalled| *stalled = None);
                }
                self.feed_replays(state, number, &cursors);
                self.rebuild(state, number);
            }
            CoreMessage::NotDurable(refused) => {
                state.in_flight -= 1;
                if !state.is_stalled {
                    tracing::error!(
                        "the store refuses writes; nothing is acknowledged or answered meanwhile: {}",
                        refused.error
                    );
                }
                if let Error::Damaged { .. } = &refused.error {
                    self.vitals.end(Fatal::Store(refused.error.to_string()));
                }
                state.is_stalled = true;
                self.stalled.write(|stalled| *stalled = Some(refused.error.to_string()));
                state.refused.insert(refused.number, (refused.batch, refused.after));
                state.retry_at.get_or_insert_with(|| Instant::now() + STORE_RETRY_DELAY);
            }
            CoreMessage::Recovered { script_id, unfinished } => self.recovered(script_id, &unfinished),
            CoreMessage::ReadBack { script_id, from, read } => self.read_back(state, script_id, from, read),
            CoreMessage::WhenIdle(idle) => state.idle.push(idle),
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
                drop(self.workers[route.worker].send(Task::Events { script_id, events }));
            }
            route.waiting.store(route.unfinished(), Relaxed);
            unfinished += usize::try_from(route.unfinished()).unwrap_or(usize::MAX);
            // The batch does not wait for a script that lags.
            gathering += if route.lag.is_none() { route.window.len() } else { 0 };
        }
        let backlog = unfinished + self.outbox.pending.load(Relaxed) + self.outbox.requests.load(Relaxed);
        self.backlog.store(backlog, Relaxed);
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
        let quiet = state.open.deadline().is_none() && state.in_flight == 0 && backlog == 0 && state.refused.is_empty();
        if quiet {
            for idle in state.idle.drain(..) {
                let _asked = idle.send(());
            }
        }
    }

    /// Tells platforms that no more answers to an interaction follow.
    fn notify_finished(&self, events: impl IntoIterator<Item = Arc<Event>>) {
        for event in events {
            let Some(adapter) = self.outbox.platforms.adapter(event.bot.name.as_str()).cloned() else { continue };
            self.outbox.tasks.spawn_on(async move { adapter.finished(&event).await }, &self.outbox.runtime);
        }
    }

    /// Marks a script as ready: it has received its recovered work.
    fn ready(&mut self, state: &mut State, script_id: usize) {
        if let Some(route) = self.routes.get_mut(script_id) {
            route.is_ready = true;
            self.timers.wake(&route.name, self.clock.now());
            let (name, declared, now) = (route.name.clone(), Arc::clone(&route.declared), self.clock.now());
            self.tasks.declare(&name, &declared.tasks, now, &mut state.open.batch);
            state.open.touch(false);
        }
    }

    fn send_to_worker(&self, script_id: usize, task: Task) {
        if let Some(route) = self.routes.get(script_id) {
            drop(self.workers[route.worker].send(task));
        }
    }
}

fn finish_one(outstanding: &mut BTreeMap<u64, usize>, block: u64) {
    if let Some(count) = outstanding.get_mut(&block) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            outstanding.remove(&block);
        }
    }
}

/// Returns a room of which only the id is known.
fn named_by_id(id: &RoomId) -> Arc<Room> {
    Arc::new(Room::channel(id.clone(), id.native()))
}
