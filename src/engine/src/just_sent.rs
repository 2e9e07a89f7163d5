//! The last messages that went out, on platforms that name messages themselves: what is decided in one breath with a message is often
//! about it, and somebody may press its button, before its rows are written.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::{ActionKey, MessageId, RoomId};

/// So many are remembered; by then their rows are there.
const MOST: usize = 4_096;

#[derive(Default)]
pub(crate) struct JustSent(Mutex<Known>);

#[derive(Default)]
struct Known {
    ids: HashMap<ActionKey, (RoomId, MessageId)>,
    keys: HashMap<(RoomId, MessageId), ActionKey>,
    order: VecDeque<ActionKey>,
}

impl JustSent {
    pub(crate) fn note(&self, key: &ActionKey, room: &RoomId, id: &MessageId) {
        let mut known = self.lock();
        let place = (room.clone(), id.clone());
        known.keys.insert(place.clone(), key.clone());
        if known.ids.insert(key.clone(), place).is_none() {
            known.order.push_back(key.clone());
        }
        if known.order.len() > MOST
            && let Some(oldest) = known.order.pop_front()
            && let Some(place) = known.ids.remove(&oldest)
        {
            known.keys.remove(&place);
        }
    }

    /// What the platform calls the message of that action.
    pub(crate) fn id(&self, key: &ActionKey) -> Option<MessageId> {
        self.lock().ids.get(key).map(|(_, id)| id.clone())
    }

    /// Which action sent that message.
    pub(crate) fn key(&self, room: &RoomId, id: &MessageId) -> Option<ActionKey> {
        self.lock().keys.get(&(room.clone(), id.clone())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
