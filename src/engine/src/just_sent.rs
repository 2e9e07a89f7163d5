//! The last messages that went out, on platforms that name messages themselves: what is decided in one breath with a message is often
//! about it, and somebody may press its button, before its rows are written.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::{ActionKey, MessageId, RoomId, ScriptName};

/// So many are remembered; by then their rows are there.
const MOST: usize = 4_096;

#[derive(Default)]
pub(crate) struct JustSent(Mutex<Known>);

#[derive(Default)]
struct Known {
    ids: HashMap<ActionKey, (RoomId, MessageId)>,
    keys: HashMap<(RoomId, MessageId), ActionKey>,
    order: VecDeque<ActionKey>,
    /// How many of a script's are on their way into a room: they may be there, and their ids are not known yet.
    under_way: HashMap<(ScriptName, RoomId), usize>,
}

/// Something is on its way, for as long as this is held.
pub(crate) struct Sending<'j> {
    just_sent: &'j JustSent,
    of: (ScriptName, RoomId),
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut known = self.just_sent.lock();
        if let Some(count) = known.under_way.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                known.under_way.remove(&self.of);
            }
        }
    }
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

    /// The action is being performed. To be held until its id is noted.
    pub(crate) fn sending(&self, key: &ActionKey, room: &RoomId) -> Sending<'_> {
        let of = (key.script.clone(), room.clone());
        *self.lock().under_way.entry(of.clone()).or_default() += 1;
        Sending { just_sent: self, of }
    }

    /// Whether something of the script's is on its way into the room.
    pub(crate) fn is_sending(&self, script: &ScriptName, room: &RoomId) -> bool {
        let known = self.lock();
        !known.under_way.is_empty() && known.under_way.contains_key(&(script.clone(), room.clone()))
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
