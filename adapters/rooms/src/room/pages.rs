//! Pages of the history: what somebody missed, and what lies further back. They are read outside the room's own task, one at a time for
//! each connection.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_store::{Direction, Result as StoreResult, Store};
use socketioxide::socket::Sid;

use super::{RECENT_MESSAGES, State};
use crate::decode::{History, PAGE_MAX};
use crate::encode::{Ack, HistoryPage, NOT_IN_ROOM, message, size};
use crate::history::{IDS, MESSAGES, MessageRow};
use crate::peer::AckSender;

/// How large a page is at most, in bytes as it is sent; one message is always in it.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// A page that is being read.
pub(super) type Reading = BoxFuture<'static, Read>;

/// Messages by position, oldest first.
type Rows = Vec<(u64, Arc<MessageRow>)>;

/// A page of the history.
pub(super) struct Page {
    pub(super) rows: Rows,
    pub(super) has_more: bool,
    /// The id of the message where the next page begins.
    pub(super) cursor: Option<String>,
}

/// Which way from a message a page lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// Which page is wanted.
struct PageRequest {
    /// The message at which it begins or ends.
    id: String,
    side: Side,
    limit: usize,
}

/// What the store has of a page.
pub(super) struct StoredPage {
    request: PageRequest,
    /// The position of the message that was named.
    position: u64,
    rows: Rows,
    has_more: bool,
}

/// What a page is for.
enum Purpose {
    /// Coming in.
    Enter(AckSender),
    /// It was asked for.
    Answer(AckSender),
}

/// A page that was read, and who waits for it.
pub(super) struct Read {
    sid: Sid,
    join_number: u64,
    purpose: Purpose,
    /// `None` where the message that was named is not known.
    found: Result<Option<StoredPage>, String>,
}

impl State {
    /// Reads what came after the message `id`, for somebody who comes in.
    pub(super) fn read_missed(&mut self, sid: Sid, id: String, ack: AckSender) {
        self.read(sid, PageRequest { id, side: Side::After, limit: PAGE_MAX }, Purpose::Enter(ack));
    }

    /// Somebody asks for a page.
    pub(super) fn history(&mut self, sid: Sid, history: History, ack: AckSender) {
        let Some(session) = self.presence.session(sid) else {
            drop(ack.send(&Ack::Error { error: NOT_IN_ROOM.to_owned() }));
            return;
        };
        if session.is_reading {
            return self.refuse(
                sid,
                ack,
                "history: one page at a time; ask again when the last one has come".to_owned(),
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

    /// A page was read.
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
                drop(ack.send(&Ack::Error { error: "the room was left meanwhile".to_owned() }));
            }
            Purpose::Enter(ack) => {
                let found = found.unwrap_or_else(|error| {
                    // The newest messages are in memory.
                    tracing::warn!(room = %self.room.name, "cannot read what a client has missed: {error}");
                    None
                });
                self.enter(sid, found, ack);
            }
            Purpose::Answer(ack) => match found {
                Ok(Some(found)) => self.answer_page(found, ack),
                Ok(None) => self.refuse(sid, ack, "there is no such message in this room any more".to_owned()),
                Err(error) => self.refuse(sid, ack, format!("the history cannot be read, try again later: {error}")),
            },
        }
    }

    fn answer_page(&self, found: StoredPage, ack: AckSender) {
        let page = self.up_to_date(found);
        let room = &self.room.name;
        let messages = page.rows.iter().map(|(_, row)| message(room, row)).collect();
        drop(ack.send(&HistoryPage { messages, has_more: page.has_more, cursor: page.cursor.as_deref() }));
    }

    /// The newest messages that everybody has been shown.
    pub(super) fn newest(&self) -> Page {
        let shown = self.recent.iter().filter(|(position, _)| *position < self.shown_before);
        let mut rows: Rows = shown.rev().take(RECENT_MESSAGES + 1).cloned().collect();
        rows.reverse();
        let (rows, is_cut) = self.fit(rows, RECENT_MESSAGES, Side::Before);
        let cursor = rows.first().map(|(_, row)| row.id.clone());
        Page { has_more: (is_cut || self.recent_from > 0) && cursor.is_some(), rows, cursor }
    }

    /// What somebody who comes back has missed; `None` when something before that has changed.
    pub(super) fn caught_up(&self, found: StoredPage) -> Option<Page> {
        (found.position + 1 >= self.changed_at).then(|| self.up_to_date(found))
    }

    /// A page as it is now: something may have happened to it since it was read.
    fn up_to_date(&self, found: StoredPage) -> Page {
        let StoredPage { request, position, rows, mut has_more } = found;
        let last_read = rows.last().map_or(position, |(position, _)| *position);
        let mut rows: Rows = rows.into_iter().filter_map(|(position, row)| self.current(position, row)).collect();
        // What nobody has been shown yet is told as it happens.
        has_more &= last_read < self.shown_before;
        if request.side == Side::After && !has_more {
            // What was shown since, unless that is more than is in memory.
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

    /// A message that was read as it is now, if everybody has been shown it and it is still there.
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

    /// The part of `rows` that fits into a page, from the front for what comes after a message, else from the back; and whether that is
    /// not all.
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

/// How much a page may still hold.
struct Budget {
    messages: usize,
    bytes: usize,
    is_empty: bool,
}

impl Budget {
    fn new(messages: usize) -> Self {
        Self { messages, bytes: PAGE_BYTES_MAX, is_empty: true }
    }

    /// Takes a message of that many bytes, unless it is too much.
    fn takes(&mut self, bytes: usize) -> bool {
        if self.messages == 0 || (bytes > self.bytes && !self.is_empty) {
            return false;
        }
        (self.messages, self.bytes, self.is_empty) = (self.messages - 1, self.bytes.saturating_sub(bytes), false);
        true
    }
}

/// Reads a page from the store; `None` where the message that is named is not known.
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
