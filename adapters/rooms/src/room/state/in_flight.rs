//! Rows on their way to the store.

use std::collections::HashMap;
use std::sync::Arc;

use crate::history::MessageRow;

/// Rows that are handed over and not durable yet.
///
/// A row is written by one of two routes, with an event or alone, and a row written alone may
/// overtake one with an event. If both routes were in use for a row, it is written once more when
/// all writes have finished.
#[derive(Default)]
pub(crate) struct InFlight {
    messages: HashMap<u64, (Option<Arc<MessageRow>>, Routes)>,
    room: Routes,
}

/// The writes of one row that are in flight, and the routes in use.
#[derive(Default)]
struct Routes {
    in_flight: usize,
    with_event: bool,
    alone: bool,
}

impl Routes {
    fn start(&mut self, with_event: bool) {
        self.in_flight += 1;
        self.with_event |= with_event;
        self.alone |= !with_event;
    }

    /// Counts one write as finished.
    ///
    /// After the last one, returns whether writes may have overtaken each other.
    fn finish(&mut self) -> Option<bool> {
        self.in_flight = self.in_flight.saturating_sub(1);
        (self.in_flight == 0).then(|| std::mem::take(self)).map(|routes| routes.with_event && routes.alone)
    }
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
    pub(crate) fn start_message(&mut self, position: u64, row: Option<Arc<MessageRow>>, with_event: bool) {
        let (now, routes) = self.messages.entry(position).or_default();
        *now = row;
        routes.start(with_event);
    }

    /// Counts one write of a message as finished.
    ///
    /// Returns the version to write once more, if writes may have overtaken each other.
    pub(crate) fn finish_message(&mut self, position: u64) -> Option<Option<Arc<MessageRow>>> {
        let (_, routes) = self.messages.get_mut(&position)?;
        let is_mixed = routes.finish()?;
        let (row, _) = self.messages.remove(&position)?;
        is_mixed.then_some(row)
    }

    /// Records that the row of the room is written.
    pub(crate) fn start_room(&mut self, with_event: bool) {
        self.room.start(with_event);
    }

    /// Counts one write of the row of the room as finished.
    ///
    /// Returns whether it must be written once more.
    pub(crate) fn finish_room(&mut self) -> bool {
        self.room.finish() == Some(true)
    }
}
