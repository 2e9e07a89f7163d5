//! Pages of the history, and how they are read from the store.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use palabre_store::{Direction, Result as StoreResult, Store};
use socketioxide::socket::Sid;

use crate::encode::size;
use crate::history::{IDS, MESSAGES, MessageRow};
use crate::peer::AckSender;

/// Maximum size of a page as JSON, in bytes. A page always has at least one message.
const PAGE_BYTES_MAX: usize = 256 << 10;

/// A page that is being read.
pub(crate) type Reading = BoxFuture<'static, Read>;

/// Messages by position, oldest first.
pub(crate) type PageRows = Vec<(u64, Arc<MessageRow>)>;

/// A page of the history.
pub(crate) struct Page {
    pub(crate) rows: PageRows,
    pub(crate) has_more: bool,
    /// The id of the message to continue from.
    pub(crate) cursor: Option<String>,
}

/// The side of a message on which a page lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// A request for a page.
pub(crate) struct PageRequest {
    /// The message at which the page begins or ends.
    pub(crate) id: String,
    pub(crate) side: Side,
    pub(crate) limit: usize,
}

/// A page as read from the store.
pub(crate) struct StoredPage {
    pub(crate) request: PageRequest,
    /// The position of the message named in the request.
    pub(crate) position: u64,
    pub(crate) rows: PageRows,
    pub(crate) has_more: bool,
}

/// The reason for reading a page.
pub(crate) enum Purpose {
    /// A client joins.
    Enter(AckSender),
    /// A client requested the page.
    Answer(AckSender),
}

/// The result of reading a page, and the session that waits for it.
pub(crate) struct Read {
    pub(crate) sid: Sid,
    pub(crate) join_number: u64,
    pub(crate) purpose: Purpose,
    /// `None` if the message named in the request is unknown.
    pub(crate) found: Result<Option<StoredPage>, String>,
}

/// The messages and bytes that a page may still hold.
pub(crate) struct Budget {
    messages: usize,
    bytes: usize,
    is_empty: bool,
}

impl Budget {
    pub(crate) fn new(messages: usize) -> Self {
        Self { messages, bytes: PAGE_BYTES_MAX, is_empty: true }
    }

    /// Counts a message of `bytes` bytes. Returns false if it does not fit.
    pub(crate) fn takes(&mut self, bytes: usize) -> bool {
        if self.messages == 0 || (bytes > self.bytes && !self.is_empty) {
            return false;
        }
        (self.messages, self.bytes, self.is_empty) = (self.messages - 1, self.bytes.saturating_sub(bytes), false);
        true
    }
}

/// Reads a page from the store; `None` if the message named in the request is unknown.
pub(crate) fn read_page(store: &Store, room: &str, request: PageRequest) -> StoreResult<Option<StoredPage>> {
    let snapshot = store.snapshot(0)?;
    let room = room.to_owned();
    let Some(position) = IDS.get(&snapshot, &(room.clone(), request.id.clone()))? else { return Ok(None) };
    let direction = match request.side {
        Side::After => Direction::Forward,
        Side::Before => Direction::Backward,
    };
    let (mut rows, mut has_more) = (PageRows::new(), false);
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
