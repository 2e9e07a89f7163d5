//! The outbox: performs durable actions, in an ordered queue for each room and class.
//!
//! So the actions of one room leave in order, a slow room delays no other, and moderation never
//! waits for messages. Few of a bot's entries are in memory; the rest are rows.
//!
//! This module holds the queues and starts a task for each job; `jobs.rs` does the jobs.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed},
};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use palabre_platform::{Clock, Entropy, Shutdown, TrackedTasks};
use palabre_state::{Class, Position, Stored};
use palabre_store::Store;
use palabre_types::RoomId;
use tokio::sync::watch;

use crate::bot::BotOutbox;
use crate::bots::Bots;
use crate::delivery_sink::DeliverySink;
use crate::pending_action::{ChainId, Completed, Delivery, EarlierAttempts, PendingAction, UnfinishedActions};
use crate::recent_deliveries::RecentDeliveries;

/// Delay before the store is read again after a failure.
pub(crate) const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);

type Queues = HashMap<RoomId, VecDeque<PendingAction>>;

/// The work of one of the outbox's tasks.
pub(crate) enum Job {
    /// Perform the actions of an ordered queue.
    Queue(RoomId, Class),
    /// Retry the actions of a chain.
    Chain(ChainId),
    /// Load rows of a bot and class into memory.
    Load(String, Class),
}

/// Returns the future that does a job. It may start further jobs.
pub(crate) type JobRunner = fn(Arc<Outbox>, Job) -> BoxFuture<'static, ()>;

/// The components that an outbox uses.
pub struct OutboxContext {
    /// The bots, each with its adapter and its quota.
    pub bots: Arc<Bots>,
    /// The platform ids of messages that were sent lately.
    pub recent_deliveries: Arc<RecentDeliveries>,
    /// The store, of which the outbox only reads.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of the random part of delays.
    pub entropy: Arc<dyn Entropy>,
    /// Receives what becomes of actions.
    pub deliveries: Arc<dyn DeliverySink>,
    /// Signals shutdown: actions that failed are then left to the next start.
    pub shutdown: Shutdown,
    /// The tasks that the outbox starts, which its owner awaits.
    pub background: TrackedTasks,
    /// The number of the last batch of the previous process.
    pub last_batch: u64,
}

/// The outbox of all bots.
///
/// It begins closed and empty, takes what the previous process left ([`Outbox::recover`]), then new
/// actions ([`Outbox::push`], [`Outbox::spilled`]), and performs them once it is open
/// ([`Outbox::open`]) until the owner leaves ([`Outbox::leave`]).
pub struct Outbox {
    pub(crate) cx: OutboxContext,
    run: JobRunner,
    /// Number of entries that are not completed.
    pending: AtomicUsize,
    /// Whether no further action may begin.
    is_leaving: watch::Sender<bool>,
    /// Whether the store refuses writes.
    is_stalled: watch::Sender<bool>,
    /// Whether actions may begin.
    is_open: watch::Sender<bool>,
    /// The number of the last batch that is durable.
    durable: watch::Sender<u64>,
    /// The ordered queues, by class.
    queues: Mutex<[Queues; 2]>,
    /// Set when the work of the previous process is recovered; only new actions come before that.
    earlier: OnceLock<EarlierAttempts>,
}

impl Outbox {
    /// Returns an empty outbox, whose jobs `run` does.
    pub(crate) fn new(cx: OutboxContext, run: JobRunner) -> Arc<Self> {
        let (pending, is_leaving, is_stalled) =
            (AtomicUsize::new(0), watch::Sender::new(false), watch::Sender::new(false));
        let (is_open, durable) = (watch::Sender::new(false), watch::Sender::new(cx.last_batch));
        Arc::new(Self {
            cx,
            run,
            pending,
            is_leaving,
            is_stalled,
            is_open,
            durable,
            queues: Mutex::default(),
            earlier: OnceLock::new(),
        })
    }

    /// Returns the outbox of a bot. Bots that are not configured any more share one.
    #[must_use]
    pub fn bot(&self, name: &str) -> &BotOutbox {
        self.cx.bots.outbox(name)
    }

    /// Returns the number of entries that are not completed.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.load(Acquire)
    }

    /// Lets actions begin. Until then they only take their places in the queues.
    pub fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// Lets no further action begin: the next start performs what is left.
    pub fn leave(&self) {
        self.is_leaving.send_replace(true);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        *self.is_leaving.borrow()
    }

    /// Records that a batch, and all batches before it, are durable.
    pub fn durable(&self, batch: u64) {
        self.durable.send_if_modified(|durable| {
            let is_later = batch > *durable;
            *durable = batch.max(*durable);
            is_later
        });
    }

    /// Records whether the store refuses writes: actions of local adapters wait meanwhile.
    pub fn set_stalled(&self, is_stalled: bool) {
        self.is_stalled.send_replace(is_stalled);
    }

    /// Waits until a batch is durable. Returns false if no further action may begin.
    pub(crate) async fn until_durable(&self, batch: u64) -> bool {
        let mut durable = self.durable.subscribe();
        self.unless_leaving(durable.wait_for(|durable| *durable >= batch)).await
    }

    /// Waits until the store accepts writes. Returns false if no further action may begin.
    pub(crate) async fn until_writable(&self) -> bool {
        let mut is_stalled = self.is_stalled.subscribe();
        self.unless_leaving(is_stalled.wait_for(|is_stalled| !*is_stalled)).await
    }

    async fn unless_leaving<T>(&self, wait: impl Future<Output = T>) -> bool {
        let mut is_leaving = self.is_leaving.subscribe();
        tokio::select! {
            biased;
            _reached = wait => true,
            _leaving = is_leaving.wait_for(|is_leaving| *is_leaving) => false,
        }
    }

    /// Queues the actions that the previous process left.
    pub fn recover(self: &Arc<Self>, unfinished: UnfinishedActions) {
        let UnfinishedActions { entries, spilled, chains, rows, earlier } = unfinished;
        // It is set once per process.
        drop(self.earlier.set(earlier));
        for (bot, bytes) in rows {
            self.bot(&bot).reserve(bytes);
        }
        for entry in &entries {
            let bot = self.bot(entry.bot());
            bot.reserve(entry.bytes);
            bot.counts(entry.class).found(entry.action.room(), true);
        }
        for (room, class) in &spilled {
            self.bot(room.bot()).counts(*class).found(room, false);
        }
        self.pending.fetch_add(chains.len(), Relaxed);
        for (chain, position, attempts) in chains {
            self.add_to_chain(chain, position, attempts);
        }
        self.push(entries);
        self.spilled(&spilled);
    }

    /// Whether an earlier process may have attempted the action at this position.
    pub(crate) fn is_left_over(&self, position: Position) -> bool {
        self.earlier.get().is_some_and(|earlier| position.block < earlier.first_batch)
    }

    /// Whether an earlier process had begun an attempt at an action that is performed at most once.
    pub(crate) fn had_begun(&self, position: Position) -> bool {
        self.earlier.get().is_some_and(|earlier| earlier.begun.contains(&position))
    }

    /// Adds entries to their queues. They are counted as in memory.
    ///
    /// Those of local adapters need not be durable yet.
    pub fn push(self: &Arc<Self>, entries: Vec<PendingAction>) {
        self.pending.fetch_add(entries.len(), Relaxed);
        self.start(entries);
    }

    /// Counts entries that have become durable as rows, and loads them as there is room.
    pub fn spilled(self: &Arc<Self>, rows: &[(RoomId, Class)]) {
        self.pending.fetch_add(rows.len(), Relaxed);
        for (room, class) in rows {
            self.load_more(room.bot(), *class);
        }
    }

    /// Forgets the positions of rows that were deleted.
    pub fn removed(&self, rows: Vec<(String, Class, Position)>) {
        for (bot, class, position) in rows {
            self.bot(&bot).counts(class).loaded.remove(&position);
        }
    }

    pub(crate) fn start(self: &Arc<Self>, entries: Vec<PendingAction>) {
        let mut started = Vec::new();
        {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                let class = entry.class;
                let queues = &mut queues[class.index()];
                // Most of the time the queue exists, and the key need not be copied.
                if let Some(queue) = queues.get_mut(entry.action.room()) {
                    queue.push_back(entry);
                } else {
                    let room = entry.action.room().clone();
                    queues.insert(room.clone(), VecDeque::from([entry]));
                    started.push((room, class));
                }
            }
        }
        for (room, class) in started {
            self.spawn(Job::Queue(room, class));
        }
    }

    pub(crate) fn add_to_chain(self: &Arc<Self>, chain: ChainId, position: Position, attempts: u32) {
        if self.bot(chain.bot.as_str()).add_to_chain(chain.clone(), position, attempts) {
            self.spawn(Job::Chain(chain));
        }
    }

    /// Starts to load rows of a bot and class, if there are any and half of the memory is free.
    fn load_more(self: &Arc<Self>, bot: &str, class: Class) {
        {
            let mut counts = self.bot(bot).counts(class);
            if !counts.wants_rows() {
                return;
            }
            counts.is_loading = true;
        }
        self.spawn(Job::Load(bot.to_owned(), class));
    }

    fn spawn(self: &Arc<Self>, job: Job) {
        let (outbox, mut is_open) = (Arc::clone(self), self.is_open.subscribe());
        self.cx.background.spawn(async move {
            // The sender lives in the outbox, so the wait cannot fail.
            if is_open.wait_for(|is_open| *is_open).await.is_ok() {
                (outbox.run)(Arc::clone(&outbox), job).await;
            }
        });
    }

    /// Takes the next entries of a queue; `None` ends the queue, which is then removed.
    pub(crate) fn take(&self, room: &RoomId, class: Class) -> Option<VecDeque<PendingAction>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = &mut queues[class.index()];
        let queue = queues.get_mut(room)?;
        if queue.is_empty() {
            queues.remove(room);
            return None;
        }
        Some(std::mem::take(queue))
    }

    pub(crate) fn complete(self: &Arc<Self>, completed: Vec<Completed>) {
        if completed.is_empty() {
            return;
        }
        let mut freed: Vec<(String, Class)> = Vec::new();
        for Completed { entry, result } in &completed {
            if !matches!(result, Delivery::Chained { .. }) {
                self.pending.fetch_sub(1, Relaxed);
            }
            if entry.stored != Stored::Chain {
                let bot = entry.bot();
                let mut counts = self.bot(bot).counts(entry.class);
                counts.leaves(entry.action.room());
                if counts.has_rows() && !freed.iter().any(|(name, class)| name == bot && *class == entry.class) {
                    freed.push((bot.to_owned(), entry.class));
                }
            }
        }
        self.cx.deliveries.completed(completed);
        for (bot, class) in freed {
            self.load_more(&bot, class);
        }
    }

    /// Waits. Returns false at shutdown.
    pub(crate) async fn wait(&self, pause: Duration) -> bool {
        let until = self.cx.clock.now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = self.cx.shutdown.clone();
        tokio::select! {
            () = self.cx.clock.sleep_until(until) => true,
            () = shutdown.requested() => false,
        }
    }
}
