//! Pages of the history: missed messages and older ones.
//!
//! They are read outside the room's task, one at a time for each session.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_store::{Direction, Result as StoreResult, Store};
use socketioxide::socket::Sid;

use super::{RECENT_MESSAGES, State};
use crate::decode::{History, PAGE_MAX};
use crate::encode::{Ack, HistoryPage, NOT_IN_ROOM, message, size};
use crate::history::{IDS, MESSAGES, MessageRow};
use crate::peer::AckSender;

/// Maximum size of a page as JSON, in bytes. A page always has at least one message.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// A page that is being read.
pub(super) type Reading = BoxFuture<'static, Read>;

/// Messages by position, oldest first.
type Rows = Vec<(u64, Arc<MessageRow>)>;

/// A page of the history.
pub(super) struct Page {
    pub(super) rows: Rows,
    pub(super) has_more: bool,
    /// The id of the message to continue from.
    pub(super) cursor: Option<String>,
}

/// The side of a message on which a page lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// A request for a page.
struct PageRequest {
    /// The message at which the page begins or ends.
    id: String,
    side: Side,
    limit: usize,
}

/// A page as read from the store.
pub(super) struct StoredPage {
    request: PageRequest,
    /// The position of the message named in the request.
    position: u64,
    rows: Rows,
    has_more: bool,
}

/// The reason for reading a page.
enum Purpose {
    /// A client joins.
    Enter(AckSender),
    /// A client requested the page.
    Answer(AckSender),
}

/// The result of reading a page, and the session that waits for it.
pub(super) struct Read {
    sid: Sid,
    join_number: u64,
    purpose: Purpose,
    /// `None` if the message named in the request is unknown.
    found: Result<Option<StoredPage>, String>,
}

impl State {
    /// Reads the messages after `id`, for a client that returns.
    pub(super) fn read_missed(&mut self, sid: Sid, id: String, ack: AckSender) {
        self.read(sid, PageRequest { id, side: Side::After, limit: PAGE_MAX }, Purpose::Enter(ack));
    }

    /// Handles a request for a page.
    pub(super) fn history(&mut self, sid: Sid, history: History, ack: AckSender) {
        let Some(session) = self.presence.session(sid) else {
            drop(ack.send(&Ack::Error { error: NOT_IN_ROOM.to_owned() }));
            return;
        };
        if session.is_reading {
            return self.refuse(
                sid,
                ack,
                "history: request one page at a time; the previous one is still being read".to_owned(),
            );
        }
        let History { before, after, limit } = history;
        let side = if after.is_some() { Side::After } else { Side::Before };
        let Some(id) = after.or(before) else { return };
        self.read(sid, PageRequest { id, side, limit: limit.unwrap_or(PAGE_MAX) }, Purpose::Answer(ack));
    }

    fn read(&mut self, sid: Sid, request: PageRequest, purpose: Purpose) {
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

    /// Handles a page that was read.
    pub(super) fn page_read(&mut self, read: Read) {
        let Read { sid, join_number, purpose, found } = read;
        let is_there = match self.presence.session(sid).filter(|session| session.join_number == join_number) {
            Some(session) => {
                session.is_reading = false;
                true
            }
            None => false,
        };
        match purpose {
            Purpose::Enter(ack) | Purpose::Answer(ack) if !is_there => {
                drop(ack.send(&Ack::Error { error: "you left the room before the page was read".to_owned() }));
            }
            Purpose::Enter(ack) => {
                let found = found.unwrap_or_else(|error| {
                    // The newest messages are in memory and are sent instead.
                    tracing::warn!(room = %self.room.name, "cannot read the messages that a client missed: {error}");
                    None
                });
                self.enter(sid, found, ack);
            }
            Purpose::Answer(ack) => match found {
                Ok(Some(found)) => self.answer_page(found, ack),
                Ok(None) => self.refuse(sid, ack, "there is no such message in this room any more".to_owned()),
                Err(error) => self.refuse(sid, ack, format!("cannot read the history, try again later: {error}")),
            },
        }
    }

    fn answer_page(&self, found: StoredPage, ack: AckSender) {
        let page = self.up_to_date(found);
        let room = &self.room.name;
        let messages = page.rows.iter().map(|(_, row)| message(room, row)).collect();
        drop(ack.send(&HistoryPage { messages, has_more: page.has_more, cursor: page.cursor.as_deref() }));
    }

    /// Returns the newest messages that have been shown.
    pub(super) fn newest(&self) -> Page {
        let shown = self.recent.iter().filter(|(position, _)| *position < self.shown_before);
        let mut rows: Rows = shown.rev().take(RECENT_MESSAGES + 1).cloned().collect();
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
    fn up_to_date(&self, found: StoredPage) -> Page {
        let StoredPage { request, position, rows, mut has_more } = found;
        let last_read = rows.last().map_or(position, |(position, _)| *position);
        let mut rows: Rows = rows.into_iter().filter_map(|(position, row)| self.current(position, row)).collect();
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
    fn fit(&self, rows: Rows, limit: usize, side: Side) -> (Rows, bool) {
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

/// The messages and bytes that a page may still hold.
struct Budget {
    messages: usize,
    bytes: usize,
    is_empty: bool,
}

impl Budget {
    fn new(messages: usize) -> Self {
        Self { messages, bytes: PAGE_BYTES_MAX, is_empty: true }
    }

    /// Counts a message of `bytes` bytes. Returns false if it does not fit.
    fn takes(&mut self, bytes: usize) -> bool {
        if self.messages == 0 || (bytes > self.bytes && !self.is_empty) {
            return false;
        }
        (self.messages, self.bytes, self.is_empty) = (self.messages - 1, self.bytes.saturating_sub(bytes), false);
        true
    }
}

/// Reads a page from the store; `None` if the message named in the request is unknown.
fn read_page(store: &Store, room: &str, request: PageRequest) -> StoreResult<Option<StoredPage>> {
    let snapshot = store.snapshot(0)?;
    let room = room.to_owned();
    let Some(position) = IDS.get(&snapshot, &(room.clone(), request.id.clone()))? else { return Ok(None) };
    let direction = match request.side {
        Side::After => Direction::Forward,
        Side::Before => Direction::Backward,
    };
    let (mut rows, mut has_more) = (Rows::new(), false);
    let mut budget = Budget::new(request.limit);
    for row in MESSAGES.scan_after(&snapshot, &room, &(room.clone(), position), direction)? {
        let ((_, position), row) = row?;
        if !budget.takes(size(&room, &row)) {
            has_more = true;
            break;
        }
        rows.push((position, Arc::new(row)));
    }
    if request.side == Side::Before {
        rows.reverse();
    }
    Ok(Some(StoredPage { request, position, rows, has_more }))
}
