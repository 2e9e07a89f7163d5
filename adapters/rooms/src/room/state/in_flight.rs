//! Rows on their way to the store.

use std::collections::HashMap;
use std::sync::Arc;

use crate::history::MessageRow;

/// Versions of messages that are handed over and not durable yet.
///
/// A reader of the store has to put them over what it has read.
#[derive(Default)]
pub(crate) struct InFlight {
    /// The newest version by position, `None` if deleted, and the number of writes in flight.
    messages: HashMap<u64, (Option<Arc<MessageRow>>, usize)>,
}

impl InFlight {
    /// Returns the version of a message that is in flight, if any; `Some(None)` is a deletion.
    pub(crate) fn message(&self, position: u64) -> Option<Option<Arc<MessageRow>>> {
        self.messages.get(&position).map(|(row, _)| row.clone())
    }

    /// Returns the positions of messages whose deletion is in flight.
    pub(crate) fn removed(&self) -> Vec<u64> {
        self.messages.iter().filter(|(_, (row, _))| row.is_none()).map(|(position, _)| *position).collect()
    }

    /// Records that a version of a message is written; `None` is a deletion.
    pub(crate) fn start(&mut self, position: u64, row: Option<Arc<MessageRow>>) {
        let (newest, writes) = self.messages.entry(position).or_default();
        *newest = row;
        *writes += 1;
    }

    /// Counts one write of a message as finished.
    pub(crate) fn finish(&mut self, position: u64) {
        if let Some((_, writes)) = self.messages.get_mut(&position) {
            *writes = writes.saturating_sub(1);
            if *writes == 0 {
                self.messages.remove(&position);
            }
        }
    }
}
