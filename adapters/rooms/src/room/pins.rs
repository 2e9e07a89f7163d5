//! Pinned messages.

use std::sync::Arc;

use palabre_types::{ActionError, EventKind, MessageRef};

use super::answer::{Answer, done, failed, id_of, not_found};
use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use crate::encode::size;
use crate::history::MessageRow;

/// Maximum number of pinned messages in a room.
const PINS_MAX: usize = 50;
/// Maximum size of the pinned messages sent on joining, as JSON in bytes; the latest pins win.
const PINS_BYTES_MAX: usize = 256 << 10;

impl State {
    /// Pins or unpins a message for a bot.
    pub(super) async fn pin(&mut self, message: &MessageRef, pinned: bool, answer: Answer) {
        let id = id_of(message);
        let Some((position, row)) = self.find(&id).await else {
            if pinned {
                return not_found(answer, message);
            }
            // A message that is gone is not pinned, as requested.
            return done(answer);
        };
        self.pinned.retain(|(other, _)| *other != position);
        if pinned {
            if self.pinned.len() >= PINS_MAX {
                let problem = format!("a room can have at most {PINS_MAX} pinned messages; unpin one first");
                return failed(answer, ActionError::Rejected(problem));
            }
            self.pinned.push((position, Arc::clone(&row)));
        }
        // A repeated request is written again, since the first write may have failed, but emits no
        // event.
        let event = (row.pinned != pinned).then(|| {
            let by = self.bot_user();
            let kind = EventKind::Pin { message: id.as_str().into(), pinned, by: Some(by.clone()) };
            self.event_of(by, None, kind)
        });
        let row = Arc::new(MessageRow { pinned, ..MessageRow::clone(&row) });
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &row);
        self.hand_over(event, rows, Change::Pinned { id, pinned }, Requester::Bot(answer));
    }

    /// Returns the pinned messages, in the order in which they were pinned.
    pub(super) fn pins(&self) -> Vec<Arc<MessageRow>> {
        let mut bytes = 0;
        let last = self.pinned.iter().rev().take_while(|(_, row)| {
            bytes += size(&self.room.name, row);
            bytes <= PINS_BYTES_MAX
        });
        let mut pins: Vec<_> = last.map(|(_, row)| Arc::clone(row)).collect();
        pins.reverse();
        pins
    }
}
