//! Actions on their way out: a lane for each room and class, so that what is said in one room leaves in order, a slow room keeps no
//! other waiting, and moderation never waits behind messages. Few of a bot's entries are in memory; the rest are rows.

mod aside;
mod attempt;
mod bot;
mod breaker;
mod entry;
mod lane;
mod load;
mod merge;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_model::{Clock, Entropy, RoomId, Shutdown};
use palabre_store::Store;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::recovery::Position;
use crate::sequencer::Note;
use crate::supervisor::Platforms;

pub(crate) use bot::BotOutbox;
pub use bot::OutboxLimits;
pub(crate) use entry::{
    ChainId, Class, Entry, OutboxKey, OutboxRow, Settled, Settlement, Stored, Unperformed, row_of_its_own, size,
};

/// How long after the store could not be read it is read again.
const RETRY: Duration = Duration::from_millis(500);

type Lanes = HashMap<RoomId, VecDeque<Entry>>;

pub(crate) struct Outbox {
    pub(crate) platforms: Arc<Platforms>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) notes: crossbeam_channel::Sender<Note>,
    pub(crate) shutdown: Shutdown,
    pub(crate) runtime: Handle,
    /// The tasks of all lanes, to be waited for.
    pub(crate) lanes_running: TaskTracker,
    /// Entries that are not yet completed.
    pub(crate) pending: AtomicUsize,
    /// Nothing is begun any more.
    pub(crate) leave: AtomicBool,
    /// Requests of scripts over HTTP that have no answer yet.
    pub(crate) requests: AtomicUsize,
    /// By class.
    pub(crate) lanes: Mutex<[Lanes; 2]>,
}

impl Outbox {
    pub(crate) fn bot(&self, name: &str) -> &BotOutbox {
        self.platforms.outbox(name)
    }

    /// Puts entries into their lanes. What they rest on is durable, and they are counted as in memory.
    pub(crate) fn push(self: &Arc<Self>, entries: Vec<Entry>) {
        self.pending.fetch_add(entries.len(), Relaxed);
        self.start(entries);
    }

    /// Entries have become durable as rows.
    pub(crate) fn spilled(self: &Arc<Self>, rows: &[(RoomId, Class)]) {
        self.pending.fetch_add(rows.len(), Relaxed);
        for (room, class) in rows {
            self.load_more(room.bot(), *class);
        }
    }

    /// Takes up entries that were set aside before a restart.
    pub(crate) fn resume_aside(self: &Arc<Self>, entries: Vec<(ChainId, Position, u32)>) {
        self.pending.fetch_add(entries.len(), Relaxed);
        for (chain, position, tries) in entries {
            self.set_aside(chain, position, tries);
        }
    }

    fn start(self: &Arc<Self>, entries: Vec<Entry>) {
        let mut started = Vec::new();
        {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                let class = entry.class;
                let lanes = &mut lanes[class.index()];
                // Most of the time the lane is there, and the key need not be copied.
                if let Some(lane) = lanes.get_mut(entry.action.room()) {
                    lane.push_back(entry);
                } else {
                    let room = entry.action.room().clone();
                    lanes.insert(room.clone(), VecDeque::from([entry]));
                    started.push((room, class));
                }
            }
        }
        for (room, class) in started {
            self.lanes_running.spawn_on(lane::run(Arc::clone(self), room, class), &self.runtime);
        }
    }

    fn set_aside(self: &Arc<Self>, chain: ChainId, position: Position, tries: u32) {
        if self.bot(chain.bot.as_str()).set_aside(chain.clone(), position, tries) {
            self.lanes_running.spawn_on(aside::run(Arc::clone(self), chain), &self.runtime);
        }
    }

    /// The lane's next entries; `None` ends the lane, which is then gone.
    fn take(&self, room: &RoomId, class: Class) -> Option<VecDeque<Entry>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = &mut lanes[class.index()];
        let lane = lanes.get_mut(room)?;
        if lane.is_empty() {
            lanes.remove(room);
            return None;
        }
        Some(std::mem::take(lane))
    }

    fn settle(self: &Arc<Self>, settled: Vec<Settled>) {
        if settled.is_empty() {
            return;
        }
        let mut freed: Vec<(String, Class)> = Vec::new();
        for Settled { entry, result } in &settled {
            if !matches!(result, Settlement::Aside { .. }) {
                self.pending.fetch_sub(1, Relaxed);
            }
            if entry.stored != Stored::Aside {
                let bot = entry.bot();
                let mut queue = self.bot(bot).queue(entry.class);
                queue.leaves(entry.action.room());
                if queue.has_rows() && !freed.iter().any(|(name, class)| name == bot && *class == entry.class) {
                    freed.push((bot.to_owned(), entry.class));
                }
            }
        }
        // The sequencer outlives the lanes; if it is gone, the next start settles these anew, by their keys.
        drop(self.notes.send(Note::Settled(settled)));
        for (bot, class) in freed {
            self.load_more(&bot, class);
        }
    }

    /// Waits. `false` at shutdown.
    async fn wait(&self, pause: Duration) -> bool {
        let until = self.clock.now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = self.shutdown.clone();
        tokio::select! {
            () = self.clock.sleep_until(until) => true,
            () = shutdown.requested() => false,
        }
    }
}
