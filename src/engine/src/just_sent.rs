//! Recent deliveries: platform ids of messages, kept until their rows are durable.
//!
//! On platforms that assign ids themselves, later actions and button presses may refer to a message
//! before its rows are written.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::{ActionKey, MessageId, RoomId, ScriptName};

/// Maximum number of deliveries that are kept; the rows of older ones are durable.
const MOST: usize = 4_096;

#[derive(Default)]
pub(crate) struct JustSent(Mutex<Known>);

#[derive(Default)]
struct Known {
    ids: HashMap<ActionKey, (RoomId, MessageId)>,
    keys: HashMap<(RoomId, MessageId), ActionKey>,
    order: VecDeque<ActionKey>,
    /// Number of a script's messages in flight to a room: they may exist, with ids not known yet.
    under_way: HashMap<(ScriptName, RoomId), usize>,
}

/// A message in flight, for as long as this guard is held.
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
    pub(crate) fn record(&self, key: &ActionKey, room: &RoomId, id: &MessageId) {
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

    /// Marks the action as in flight. The guard is held until its id is recorded.
    pub(crate) fn sending(&self, key: &ActionKey, room: &RoomId) -> Sending<'_> {
        let of = (key.script.clone(), room.clone());
        *self.lock().under_way.entry(of.clone()).or_default() += 1;
        Sending { just_sent: self, of }
    }

    /// Whether a message of the script is in flight to the room.
    pub(crate) fn is_sending(&self, script: &ScriptName, room: &RoomId) -> bool {
        let known = self.lock();
        !known.under_way.is_empty() && known.under_way.contains_key(&(script.clone(), room.clone()))
    }

    /// Returns the platform's id of the message that the action sent.
    pub(crate) fn id(&self, key: &ActionKey) -> Option<MessageId> {
        self.lock().ids.get(key).map(|(_, id)| id.clone())
    }

    /// Returns the action that sent the message.
    pub(crate) fn key(&self, room: &RoomId, id: &MessageId) -> Option<ActionKey> {
        self.lock().keys.get(&(room.clone(), id.clone())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
