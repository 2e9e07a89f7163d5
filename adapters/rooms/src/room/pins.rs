//! Pinned messages.

use std::sync::Arc;

use palabre_types::{EventKind, User};

use super::command::Origin;
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
    /// Pins or unpins a message for a moderator.
    pub(super) async fn pin_of_person(&mut self, origin: Origin, id: &str, pinned: bool) {
        let Some((author, requester)) = self.person(origin) else { return };
        if !self.is_moderator(&author) {
            return self.refuse_request(requester, "only moderators of this room can pin messages".to_owned());
        }
        let by = self.user(&author.username, self.presence.locale(&author.username));
        self.pin(id, pinned, &(by, Some(&*author.guest)), requester).await;
    }

    /// Pins or unpins a message. `by` is the person, with the id, or the bot.
    pub(super) async fn pin(&mut self, id: &str, pinned: bool, by: &(User, Option<&str>), requester: Requester) {
        let id = id.to_owned();
        let Some((position, row)) = self.find(&id).await else {
            if pinned {
                return self.refuse_unknown(requester, &id);
            }
            // A message that is gone is not pinned, as requested.
            return requester.reply(Ok(None));
        };
        self.pinned.retain(|(other, _)| *other != position);
        if pinned {
            if self.pinned.len() >= PINS_MAX {
                let problem = format!("a room can have at most {PINS_MAX} pinned messages; unpin one first");
                return self.refuse_request(requester, problem);
            }
            self.pinned.push((position, Arc::clone(&row)));
        }
        // A repeated request is written again, since the first write may have failed, but emits no
        // event.
        let event = (row.pinned != pinned).then(|| {
            let kind = EventKind::Pin { message: id.as_str().into(), pinned, by: Some(by.0.clone()) };
            self.event_of(by.0.clone(), by.1, kind)
        });
        let row = Arc::new(MessageRow { pinned, ..MessageRow::clone(&row) });
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &row);
        self.hand_over(event, rows, Change::Pinned { id, pinned }, requester);
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
