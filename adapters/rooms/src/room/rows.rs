//! New and changed rows of the room, in memory and on their way to the store.

use std::sync::Arc;

use palabre_types::{Batch, Event};

use super::recording::recorded;
use super::state::State;
use super::state::commit::{Change, CommitResult, OnCommit, Requester};
use super::state::past::RECENT_MESSAGES;
use crate::history::{self, MESSAGES, MessageRow, ROOMS, RoomRow};

/// Rows that are written together.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) batch: Batch,
    /// New versions of messages by position; `None` is deleted.
    messages: Vec<(u64, Option<Arc<MessageRow>>)>,
}

impl State {
    /// Assigns the next position to a message, in memory and in `rows`.
    pub(super) fn append(&mut self, rows: &mut Batch, row: MessageRow) -> Arc<MessageRow> {
        self.create(rows);
        let position = self.next;
        self.next += 1;
        history::add(rows, &self.room.name, position, &row);
        let row = Arc::new(row);
        self.recent.push_back((position, Arc::clone(&row)));
        while self.recent.len() > 2 * RECENT_MESSAGES
            && let Some((oldest, _)) = self.recent.front()
            && *oldest < self.shown_before
        {
            self.recent_from = *oldest + 1;
            self.recent.pop_front();
        }
        row
    }

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
        let text_change = (change.is_of_text() && !rows.messages.is_empty()).then(|| {
            self.text_changes += 1;
            self.text_changes
        });
        self.write_room(&mut rows.batch);
        let mut touched = Vec::with_capacity(rows.messages.len());
        for (position, row) in rows.messages {
            self.in_flight.start(position, row);
            touched.push(position);
        }
        let changes = || recorded(&self.room.name, &change, &touched);
        let receipt = self.commit_recorded(event, "a change in a room", rows.batch, changes);
        let on_commit = OnCommit::Changed { change, touched, text_change, requester };
        self.pending.push_back(Box::pin(async move {
            CommitResult { result: receipt.await.map(drop).map_err(|error| error.to_string()), on_commit }
        }));
    }

    /// Handles the end of writes to these positions, successful or not.
    pub(super) fn finish_writes(&mut self, touched: &[u64]) {
        for position in touched {
            self.in_flight.finish(*position);
        }
    }

    /// Adds the row of the room, if it is not in the store yet.
    fn create(&mut self, batch: &mut Batch) {
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
            text_changes: self.text_changes,
            topic: self.room.topic.clone(),
            slowmode: self.rules.slowmode,
            locked: self.rules.locked,
            pinned: self.pinned.iter().map(|(position, _)| *position).collect(),
        };
        ROOMS.put(batch, &self.room.name, &row);
    }
}
