//! The ephemeral and direct messages that a room keeps, so that their buttons and lists can be used.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::history::MessageRow;

/// Maximum number kept by a room.
const EPHEMERAL_MESSAGES_MAX: usize = 1_000;

/// A message for one user, which is not stored.
pub(crate) struct EphemeralMessage {
    /// Lower-case username.
    pub(crate) user: String,
    /// The id of the guest whom the message is for.
    pub(crate) guest: Arc<str>,
    pub(crate) row: Arc<MessageRow>,
    /// Whether it is a direct message.
    pub(crate) is_private: bool,
}

/// The last ephemeral and direct messages.
#[derive(Default)]
pub(crate) struct EphemeralMessages {
    kept: VecDeque<EphemeralMessage>,
}

impl EphemeralMessages {
    /// Whether there is a message `id` for `user`.
    pub(crate) fn contains(&self, user: &str, id: &str) -> bool {
        self.kept.iter().any(|message| message.row.id == id && message.user == user)
    }

    /// Returns the message `id`, if it is for that guest.
    pub(crate) fn row_of_guest(&self, guest: &str, id: &str) -> Option<Arc<MessageRow>> {
        let found = self.kept.iter().rev().find(|message| message.row.id == id && &*message.guest == guest);
        found.map(|message| Arc::clone(&message.row))
    }

    /// Keeps a message. Returns false if it is already there, for a repeated action.
    pub(crate) fn keep(&mut self, message: EphemeralMessage) -> bool {
        if self.contains(&message.user, &message.row.id) {
            return false;
        }
        self.kept.push_back(message);
        if self.kept.len() > EPHEMERAL_MESSAGES_MAX {
            self.kept.pop_front();
        }
        true
    }

    /// Returns the newest message with that id.
    pub(crate) fn get(&self, id: &str) -> Option<&EphemeralMessage> {
        self.kept.iter().rev().find(|message| message.row.id == id)
    }

    /// Returns the newest message with that id, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut EphemeralMessage> {
        self.kept.iter_mut().rev().find(|message| message.row.id == id)
    }

    /// Removes the newest message with that id.
    pub(crate) fn remove(&mut self, id: &str) -> Option<EphemeralMessage> {
        let index = self.kept.iter().rposition(|message| message.row.id == id)?;
        self.kept.remove(index)
    }
}
