//! Pinned messages.

use std::sync::Arc;

use palabre_model::{ActionError, EventKind, MessageRef, Outcome};

use super::acting::{id_of, not_found};
use super::commits::{Change, Requester};
use super::rows::Rows;
use super::{Answer, State};
use crate::encode::size;
use crate::history::MessageRow;

/// How many a room has at most.
const PINS_MAX: usize = 50;
/// How much of them somebody who comes in is shown, in bytes as it is sent: the last ones that were pinned.
const PINS_BYTES_MAX: usize = 256 << 10;

impl State {
    /// A bot pins a message, or takes the pin away.
    pub(super) async fn pin(&mut self, message: &MessageRef, pinned: bool, answer: Answer) {
        let id = id_of(message);
        let Some((position, row)) = self.find(&id).await else {
            if pinned {
                return not_found(answer, message);
            }
            // A message that is gone is pinned no longer, which is what was wanted.
            let _asked = answer.send(Ok(Outcome::default()));
            return;
        };
        self.pinned.retain(|(other, _)| *other != position);
        if pinned {
            if self.pinned.len() >= PINS_MAX {
                let problem = format!("a room has at most {PINS_MAX} pinned messages");
                let _asked = answer.send(Err(ActionError::Rejected(problem)));
                return;
            }
            self.pinned.push((position, Arc::clone(&row)));
        }
        // A repetition is written again, since the first time may have failed; it is no event.
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

    /// The pinned messages, in the order in which they were pinned.
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
