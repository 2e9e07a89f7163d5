//! Actions on their way out: a lane for each room, so that what is said in one room leaves in order and a slow room keeps no
//! other waiting.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use palabre_model::{Action, ActionKey, Clock, Entropy, MessageId, RoomId, Shutdown};
use palabre_store::Store;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

use crate::lane;
use crate::recovery::Position;
use crate::sequencer::Note;
use crate::supervisor::Platforms;

/// An action and where it stands in the journal.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) key: ActionKey,
    pub(crate) action: Action,
}

/// What became of an entry.
pub(crate) struct Settled {
    pub(crate) entry: Entry,
    pub(crate) result: Result<Option<MessageId>, Unperformed>,
}

/// Why an action was not performed.
pub(crate) struct Unperformed {
    pub(crate) reason: String,
    /// It was tried until it had to be given up; another day it might work.
    pub(crate) is_dead_letter: bool,
}

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
    /// Entries that are not yet settled.
    pub(crate) pending: AtomicUsize,
    /// Nothing is begun any more.
    pub(crate) leave: AtomicBool,
    /// Requests of scripts over HTTP that have no answer yet.
    pub(crate) requests: AtomicUsize,
    pub(crate) lanes: Mutex<HashMap<RoomId, VecDeque<Entry>>>,
}

impl Outbox {
    /// Puts entries into their lanes. What they rest on is durable.
    pub(crate) fn push(self: &Arc<Self>, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        self.pending.fetch_add(entries.len(), Relaxed);
        let mut started = Vec::new();
        {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            for entry in entries {
                // Most of the time the lane is there, and the key need not be copied.
                if let Some(lane) = lanes.get_mut(entry.action.room()) {
                    lane.push_back(entry);
                } else {
                    let room = entry.action.room().clone();
                    lanes.insert(room.clone(), VecDeque::from([entry]));
                    started.push(room);
                }
            }
        }
        for room in started {
            self.lanes_running.spawn_on(lane::run(Arc::clone(self), room), &self.runtime);
        }
    }

    /// The lane's next entries; `None` ends the lane, which is then gone.
    pub(crate) fn take(&self, room: &RoomId) -> Option<VecDeque<Entry>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.get_mut(room)?;
        if lane.is_empty() {
            lanes.remove(room);
            return None;
        }
        Some(std::mem::take(lane))
    }

    pub(crate) fn settle(&self, settled: Vec<Settled>) {
        if settled.is_empty() {
            return;
        }
        self.pending.fetch_sub(settled.len(), Relaxed);
        // The sequencer outlives the lanes; if it is gone, the next start settles these anew, by their keys.
        drop(self.notes.send(Note::Settled(settled)));
    }
}
