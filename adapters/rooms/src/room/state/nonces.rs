//! The nonces of the last messages of a room.

use std::collections::{HashMap, VecDeque};

/// Maximum number of nonces in memory; older ones are looked up in the store.
const NONCES_IN_MEMORY_MAX: usize = 1_024;

/// Lower-case username of the author, and the nonce of a message.
pub(crate) type Nonce = (String, String);

/// The message ids by nonce, of messages that are durable or in flight.
#[derive(Default)]
pub(crate) struct Nonces {
    ids: HashMap<Nonce, String>,
    order: VecDeque<Nonce>,
}

impl Nonces {
    /// Returns the id of the message that was sent with the nonce.
    pub(crate) fn id(&self, nonce: &Nonce) -> Option<&String> {
        self.ids.get(nonce)
    }

    /// Remembers a nonce; the oldest ones are forgotten.
    pub(crate) fn remember(&mut self, nonce: Nonce, id: String) {
        self.ids.insert(nonce.clone(), id);
        self.order.push_back(nonce);
        if self.order.len() > NONCES_IN_MEMORY_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }

    /// Frees the nonce of a message that could not be saved.
    pub(crate) fn forget(&mut self, nonce: &Nonce) {
        self.ids.remove(nonce);
    }
}
