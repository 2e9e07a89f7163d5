//! Requests and connections that follow the answers of bots in a room, without being in it.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::history::MessageRow;

/// Maximum number of updates that wait for a watcher; one that is slower is dropped.
pub(crate) const UPDATES_MAX: usize = 256;

/// An update for the watchers of a room.
#[derive(Debug, Clone)]
pub(crate) enum Update {
    /// A bot has posted or edited a message.
    Said(Arc<MessageRow>),
    /// A message was deleted.
    Deleted(String),
    /// A bot is typing.
    Typing,
    /// No more answers to the message with this id follow, unless a person says something.
    Finished(String),
}

/// The watchers of a room.
#[derive(Default)]
pub(crate) struct Watchers(Vec<mpsc::Sender<Update>>);

impl Watchers {
    pub(crate) fn add(&mut self, watcher: mpsc::Sender<Update>) {
        self.0.push(watcher);
    }

    /// Whether there are none. Those that have gone are forgotten.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.0.retain(|watcher| !watcher.is_closed());
        self.0.is_empty()
    }

    /// Sends an update to all watchers. Those that have gone or are too slow are dropped.
    pub(crate) fn notify(&mut self, update: &Update) {
        self.0.retain(|watcher| watcher.try_send(update.clone()).is_ok());
    }

    /// Sends a message of a bot to all watchers.
    pub(crate) fn said(&mut self, row: &Arc<MessageRow>) {
        if row.bot && !self.0.is_empty() {
            self.notify(&Update::Said(Arc::clone(row)));
        }
    }
}
