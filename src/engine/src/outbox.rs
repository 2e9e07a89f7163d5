//! The outbox: performs durable actions, in an ordered queue for each room and class.
//!
//! So the actions of one room leave in order, a slow room delays no other, and moderation never
//! waits for messages. Few of a bot's entries are in memory; the rest are rows.

mod attempt;
mod bot;
mod breaker;
mod entry;
mod load;
mod merge;
mod ordered_queue;
mod retry_chain;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_model::{Clock, Entropy, RoomId, Shutdown};
use palabre_store::Store;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::recovery::Position;
use crate::sequencer::CoreMessage;
use crate::supervisor::Platforms;

pub(crate) use bot::BotOutbox;
pub use bot::OutboxLimits;
pub(crate) use entry::{
    ChainId, Class, Completed, Delivery, Entry, OutboxKey, OutboxRow, Stored, Unperformed, chain_row, size,
};

/// Delay before the store is read again after a failure.
const STORE_RETRY_DELAY: Duration = Duration::from_millis(500);

type Queues = HashMap<RoomId, VecDeque<Entry>>;

pub(crate) struct Outbox {
    pub(crate) platforms: Arc<Platforms>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) core: crossbeam_channel::Sender<CoreMessage>,
    pub(crate) shutdown: Shutdown,
    pub(crate) runtime: Handle,
    /// All tasks of the outbox; a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// Number of entries that are not completed.
    pub(crate) pending: AtomicUsize,
    /// Whether no further action may begin.
    pub(crate) leave: AtomicBool,
    /// Number of HTTP requests of scripts without an answer.
    pub(crate) requests: AtomicUsize,
    /// The ordered queues, by class.
    pub(crate) queues: Mutex<[Queues; 2]>,
}

impl Outbox {
    pub(crate) fn bot(&self, name: &str) -> &BotOutbox {
        self.platforms.outbox(name)
    }

    /// Adds entries to their queues. Their batch is durable, and they are counted as in memory.
    pub(crate) fn push(self: &Arc<Self>, entries: Vec<Entry>) {
        self.pending.fetch_add(entries.len(), Relaxed);
        self.start(entries);
    }

    /// Counts entries that have become durable as rows, and loads them as there is room.
    pub(crate) fn spilled(self: &Arc<Self>, rows: &[(RoomId, Class)]) {
        self.pending.fetch_add(rows.len(), Relaxed);
        for (room, class) in rows {
            self.load_more(room.bot(), *class);
        }
    }

    /// Resumes the retries of entries that had left their queues before a restart.
    pub(crate) fn resume_chains(self: &Arc<Self>, entries: Vec<(ChainId, Position, u32)>) {
        self.pending.fetch_add(entries.len(), Relaxed);
        for (chain, position, attempts) in entries {
            self.add_to_chain(chain, position, attempts);
        }
    }

    fn start(self: &Arc<Self>, entries: Vec<Entry>) {
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
            self.tasks.spawn_on(ordered_queue::run(Arc::clone(self), room, class), &self.runtime);
        }
    }

    fn add_to_chain(self: &Arc<Self>, chain: ChainId, position: Position, attempts: u32) {
        if self.bot(chain.bot.as_str()).add_to_chain(chain.clone(), position, attempts) {
            self.tasks.spawn_on(retry_chain::run(Arc::clone(self), chain), &self.runtime);
        }
    }

    /// Takes the next entries of a queue; `None` ends the queue, which is then removed.
    fn take(&self, room: &RoomId, class: Class) -> Option<VecDeque<Entry>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = &mut queues[class.index()];
        let queue = queues.get_mut(room)?;
        if queue.is_empty() {
            queues.remove(room);
            return None;
        }
        Some(std::mem::take(queue))
    }

    fn complete(self: &Arc<Self>, completed: Vec<Completed>) {
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
        // The sequencer outlives the queues; if it is gone, the next start handles these again, by
        // their keys.
        drop(self.core.send(CoreMessage::Completed(completed)));
        for (bot, class) in freed {
            self.load_more(&bot, class);
        }
    }

    /// Waits. Returns false at shutdown.
    async fn wait(&self, pause: Duration) -> bool {
        let until = self.clock.now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            () = self.clock.sleep_until(until) => true,
            () = shutdown.requested() => false,
        }
    }
}
