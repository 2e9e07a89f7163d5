//! Changed rows of a room on their way to the store.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_model::{Batch, Event};

use super::State;
use super::commits::{Change, CommitResult, OnCommit, Requester};
use crate::history::{self, MESSAGES, MessageRow, ROOMS, RoomRow};

/// Rows that are written together.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) batch: Batch,
    /// New versions of messages by position; `None` is deleted.
    messages: Vec<(u64, Option<Arc<MessageRow>>)>,
}

/// Rows that are handed over and not durable yet.
///
/// A row is written by one of two routes, with an event or alone, and a row written alone may
/// overtake one with an event. If both routes were in use for a row, it is written once more when
/// all writes have finished.
#[derive(Default)]
pub(super) struct InFlight {
    messages: HashMap<u64, (Option<Arc<MessageRow>>, Routes)>,
    room: Routes,
}

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
    pub(super) fn message(&self, position: u64) -> Option<Option<Arc<MessageRow>>> {
        self.messages.get(&position).map(|(row, _)| row.clone())
    }

    /// Returns the positions of messages whose deletion is in flight.
    pub(super) fn removed(&self) -> Vec<u64> {
        self.messages.iter().filter(|(_, (row, _))| row.is_none()).map(|(position, _)| *position).collect()
    }
}

impl State {
    /// Replaces a message: in memory now, in the store with `rows`.
    pub(super) fn replace(&mut self, rows: &mut Rows, position: u64, row: &Arc<MessageRow>) {
        MESSAGES.put(&mut rows.batch, &(self.room.name.clone(), position), row);
        if let Some(place) = self.recent.iter_mut().find(|(other, _)| *other == position) {
            place.1 = Arc::clone(row);
        }
        if let Some(place) = self.pinned.iter_mut().find(|(other, _)| *other == position) {
            place.1 = Arc::clone(row);
        }
        rows.messages.push((position, Some(Arc::clone(row))));
        self.changed_at = self.next;
    }

    /// Deletes a message: from memory now, from the store with `rows`.
    pub(super) fn remove(&mut self, rows: &mut Rows, position: u64, row: &MessageRow) {
        history::remove(&mut rows.batch, &self.room.name, position, row);
        // The position is not reused, even if it was the last one.
        self.recent.retain(|(other, _)| *other != position);
        self.pinned.retain(|(other, _)| *other != position);
        rows.messages.push((position, None));
        self.changed_at = self.next;
    }

    /// Hands rows over, with an event if there is one. The change is broadcast once it is durable.
    pub(super) fn hand_over(&mut self, event: Option<Event>, mut rows: Rows, change: Change, requester: Requester) {
        self.write_room(&mut rows.batch);
        let with_event = event.is_some();
        self.in_flight.room.start(with_event);
        let mut touched = Vec::with_capacity(rows.messages.len());
        for (position, row) in rows.messages {
            let (now, routes) = self.in_flight.messages.entry(position).or_default();
            *now = row;
            routes.start(with_event);
            touched.push(position);
        }
        let on_commit = OnCommit::Changed { change, touched, requester };
        match event {
            Some(event) => {
                let receipt = self.cx.context.sink.emit(event, rows.batch);
                self.pending.push_back(Box::pin(async move {
                    CommitResult { result: receipt.await.map(drop).map_err(|error| error.to_string()), on_commit }
                }));
            }
            None => {
                let ticket = self.cx.store.commit(rows.batch);
                self.pending.push_back(Box::pin(async move {
                    CommitResult { result: ticket.await.map_err(|error| error.to_string()), on_commit }
                }));
            }
        }
    }

    /// Handles the end of writes to these positions, successful or not.
    pub(super) fn finish_writes(&mut self, touched: &[u64]) {
        let mut rewritten = Batch::default();
        for position in touched {
            let Some((_, routes)) = self.in_flight.messages.get_mut(position) else { continue };
            let Some(mixed) = routes.finish() else { continue };
            if let Some((row, _)) = self.in_flight.messages.remove(position)
                && mixed
            {
                let key = (self.room.name.clone(), *position);
                match row {
                    Some(row) => MESSAGES.put(&mut rewritten, &key, &row),
                    None => MESSAGES.delete(&mut rewritten, &key),
                }
            }
        }
        if self.in_flight.room.finish() == Some(true) {
            self.write_room(&mut rewritten);
        }
        if !rewritten.is_empty() {
            // Except in rare cases the store has these values already, so nobody waits for it.
            drop(self.cx.store.commit(rewritten));
        }
    }

    /// Adds the row of the room, if it is not in the store yet.
    pub(super) fn create(&mut self, batch: &mut Batch) {
        if self.created.is_none() {
            self.write_room(batch);
        }
    }

    fn write_room(&mut self, batch: &mut Batch) {
        let created = *self.created.get_or_insert_with(|| self.cx.context.clock.now());
        let row = RoomRow {
            created,
            next: self.next,
            changed: self.changed_at,
            topic: self.room.topic.clone(),
            slowmode: self.rules.slowmode,
            locked: self.rules.locked,
            pinned: self.pinned.iter().map(|(position, _)| *position).collect(),
        };
        ROOMS.put(batch, &self.room.name, &row);
    }
}
