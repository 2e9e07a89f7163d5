//! Slow mode and lock of a room, and the times from which slow mode counts.

use std::collections::HashMap;

use palabre_types::Millis;

use crate::history::MessageRow;

/// Number of times kept in `last_messages` before those that no longer matter are dropped.
const LAST_MESSAGES_MAX: usize = 4_096;

/// The rules of one room.
pub(crate) struct Rules {
    /// Minimum time between two messages of a person; 0 disables slow mode.
    pub(crate) slowmode: Millis,
    pub(crate) locked: bool,
    /// Time of each person's last message, by guest id.
    last_messages: HashMap<String, Millis>,
}

impl Rules {
    /// Returns the rules of a room with these recent messages.
    pub(crate) fn new(slowmode: Millis, locked: bool, recent: &[(u64, MessageRow)]) -> Self {
        let said = recent.iter().filter_map(|(_, row)| Some((row.author.clone()?, row.time)));
        Self { slowmode, locked, last_messages: said.collect() }
    }

    /// Returns slow mode in the form that clients receive: whole seconds.
    pub(crate) fn slowmode_seconds(&self) -> Option<u64> {
        (self.slowmode > 0).then(|| self.slowmode.div_ceil(1_000))
    }

    /// Records the time of a message.
    pub(crate) fn record_message(&mut self, guest: &str, now: Millis) {
        if self.last_messages.len() >= LAST_MESSAGES_MAX {
            let slowmode = self.slowmode;
            self.last_messages.retain(|_, last| now < last.saturating_add(slowmode));
        }
        self.last_messages.insert(guest.to_owned(), now);
    }

    /// Forgets the time of a message that could not be saved.
    pub(crate) fn forget_message(&mut self, guest: &str) {
        self.last_messages.remove(guest);
    }

    /// Returns the time that a person has to wait before the next message.
    pub(crate) fn wait(&self, guest: &str, now: Millis) -> Option<Millis> {
        let next = self.last_messages.get(guest)?.saturating_add(self.slowmode);
        // A longer wait than slow mode means that the clock was set back.
        (now < next && next - now <= self.slowmode).then(|| next - now)
    }
}
