//! Pages of the history: missed messages and older ones.
//!
//! They are read outside the room's task, one at a time for each session.

use std::sync::Arc;

use socketioxide::socket::Sid;

use super::state::State;
use super::state::pages::{Budget, Page, PageRequest, PageRows, Purpose, Read, Side, StoredPage, read_page};
use super::state::past::RECENT_MESSAGES;
use crate::decode::PAGE_MAX;
use crate::encode::size;
use crate::history::MessageRow;
use crate::peer::AckSender;

impl State {
    /// Reads the messages after `id`, for a client that returns.
    pub(super) fn read_missed(&mut self, sid: Sid, id: String, ack: AckSender) {
        self.read(sid, PageRequest { id, side: Side::After, limit: PAGE_MAX }, Purpose::Enter(ack));
    }

    /// Begins to read a page.
    pub(super) fn read(&mut self, sid: Sid, request: PageRequest, purpose: Purpose) {
        let Some(session) = self.presence.session(sid) else { return };
        session.is_reading = true;
        let join_number = session.join_number;
        let (store, room, turns) = (self.cx.store.clone(), self.room.name.clone(), Arc::clone(&self.turns));
        self.reads.push(Box::pin(async move {
            let turn = turns.acquire_owned().await;
            let read = tokio::task::spawn_blocking(move || {
                let _until_it_is_read = turn;
                read_page(&store, &room, request)
            });
            let found = match read.await {
                Ok(found) => found.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            Read { sid, join_number, purpose, found }
        }));
    }

    /// Returns the newest messages that have been shown.
    pub(super) fn newest(&self) -> Page {
        let shown = self.recent.iter().filter(|(position, _)| *position < self.shown_before);
        let mut rows: PageRows = shown.rev().take(RECENT_MESSAGES + 1).cloned().collect();
        rows.reverse();
        let (rows, is_cut) = self.fit(rows, RECENT_MESSAGES, Side::Before);
        let cursor = rows.first().map(|(_, row)| row.id.clone());
        Page { has_more: (is_cut || self.recent_from > 0) && cursor.is_some(), rows, cursor }
    }

    /// Returns the page of missed messages; `None` if an older message has changed.
    pub(super) fn caught_up(&self, found: StoredPage) -> Option<Page> {
        (found.position + 1 >= self.changed_at).then(|| self.up_to_date(found))
    }

    /// Applies what has changed since the page was read.
    pub(super) fn up_to_date(&self, found: StoredPage) -> Page {
        let StoredPage { request, position, rows, mut has_more } = found;
        let last_read = rows.last().map_or(position, |(position, _)| *position);
        let mut rows: PageRows = rows.into_iter().filter_map(|(position, row)| self.current(position, row)).collect();
        // Messages that are not shown yet will be broadcast.
        has_more &= last_read < self.shown_before;
        if request.side == Side::After && !has_more {
            // Adds the messages shown since, unless some of them are no longer in memory.
            has_more = self.recent_from > last_read + 1;
            let since = self
                .recent
                .iter()
                .filter(|(position, _)| !has_more && (last_read + 1..self.shown_before).contains(position));
            rows.extend(since.cloned());
        }
        let (rows, is_cut) = self.fit(rows, request.limit, request.side);
        let end = if request.side == Side::After { rows.last() } else { rows.first() };
        let cursor = end.map_or(request.id, |(_, row)| row.id.clone());
        Page { has_more: has_more || is_cut, rows, cursor: Some(cursor) }
    }

    /// Returns the current version of a message that was read, if it is shown and still exists.
    fn current(&self, position: u64, row: Arc<MessageRow>) -> Option<(u64, Arc<MessageRow>)> {
        if position >= self.shown_before {
            return None;
        }
        if position >= self.recent_from {
            let place = self.recent.binary_search_by_key(&position, |(position, _)| *position).ok()?;
            return self.recent.get(place).cloned();
        }
        match self.in_flight.message(position) {
            Some(changed) => changed.map(|row| (position, row)),
            None => Some((position, row)),
        }
    }

    /// Returns the rows that fit into a page, and whether some were cut.
    ///
    /// Pages after a message are filled from the front, others from the back.
    fn fit(&self, rows: PageRows, limit: usize, side: Side) -> (PageRows, bool) {
        let mut budget = Budget::new(limit);
        let count = rows.len();
        let fits = |(_, row): &&(u64, Arc<MessageRow>)| budget.takes(size(&self.room.name, row));
        let kept = match side {
            Side::After => rows.iter().take_while(fits).count(),
            Side::Before => rows.iter().rev().take_while(fits).count(),
        };
        let rows = match side {
            Side::After => rows.into_iter().take(kept).collect(),
            Side::Before => rows.into_iter().skip(count - kept).collect(),
        };
        (rows, kept < count)
    }
}
