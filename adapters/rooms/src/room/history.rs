//! Requests for pages of the history, and the pages that were read for them.

use socketioxide::socket::Sid;

use super::state::State;
use super::state::pages::{PageRequest, Purpose, Read, Side, StoredPage};
use crate::decode::{History, PAGE_MAX};
use crate::encode::{Ack, HistoryPage, NOT_IN_ROOM, message};
use crate::peer::AckSender;

impl State {
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
}
