//! Recent deliveries: platform ids of messages, kept until their rows are durable.
//!
//! On platforms that assign ids themselves, later actions and button presses may refer to a message
//! before its rows are written.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_types::{ActionKey, MessageId, RoomId, ScriptName};

/// Maximum number of deliveries that are kept; the rows of older ones are durable.
const DELIVERIES_MAX: usize = 4_096;

/// The platform ids of the last messages, and the messages in flight.
#[derive(Default)]
pub struct RecentDeliveries(Mutex<Deliveries>);

#[derive(Default)]
struct Deliveries {
    ids: HashMap<ActionKey, (RoomId, MessageId)>,
    keys: HashMap<(RoomId, MessageId), ActionKey>,
    order: VecDeque<ActionKey>,
    /// Number of a script's messages in flight to a room: they may exist, with ids not known yet.
    in_flight: HashMap<(ScriptName, RoomId), usize>,
}

/// A message in flight, for as long as this guard is held.
pub(crate) struct Sending<'j> {
    recent_deliveries: &'j RecentDeliveries,
    of: (ScriptName, RoomId),
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut deliveries = self.recent_deliveries.lock();
        if let Some(count) = deliveries.in_flight.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                deliveries.in_flight.remove(&self.of);
            }
        }
    }
}

impl RecentDeliveries {
    pub(crate) fn record(&self, key: &ActionKey, room: &RoomId, id: &MessageId) {
        let mut deliveries = self.lock();
        let place = (room.clone(), id.clone());
        deliveries.keys.insert(place.clone(), key.clone());
        if deliveries.ids.insert(key.clone(), place).is_none() {
            deliveries.order.push_back(key.clone());
        }
        if deliveries.order.len() > DELIVERIES_MAX
            && let Some(oldest) = deliveries.order.pop_front()
            && let Some(place) = deliveries.ids.remove(&oldest)
        {
            deliveries.keys.remove(&place);
        }
    }

    /// Marks the action as in flight. The guard is held until its id is recorded.
    pub(crate) fn sending(&self, key: &ActionKey, room: &RoomId) -> Sending<'_> {
        let of = (key.script.clone(), room.clone());
        *self.lock().in_flight.entry(of.clone()).or_default() += 1;
        Sending { recent_deliveries: self, of }
    }

    /// Whether a message of the script is in flight to the room.
    #[must_use]
    pub fn is_sending(&self, script: &ScriptName, room: &RoomId) -> bool {
        let deliveries = self.lock();
        !deliveries.in_flight.is_empty() && deliveries.in_flight.contains_key(&(script.clone(), room.clone()))
    }

    /// Returns the platform's id of the message that the action sent.
    pub(crate) fn id(&self, key: &ActionKey) -> Option<MessageId> {
        self.lock().ids.get(key).map(|(_, id)| id.clone())
    }

    /// Returns the action that sent the message, if it was among the last ones.
    #[must_use]
    pub fn key(&self, room: &RoomId, id: &MessageId) -> Option<ActionKey> {
        self.lock().keys.get(&(room.clone(), id.clone())).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Deliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
