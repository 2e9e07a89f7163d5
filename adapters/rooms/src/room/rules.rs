//! Changes of the topic, slow mode and lock of the room.

use std::sync::Arc;

use palabre_types::{ActionError, EventKind, Room, RoomChange};

use super::answer::{Answer, done, failed};
use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use crate::encode::RoomUpdated;

/// Maximum length of a topic, in characters.
const TOPIC_MAX: usize = 1_000;

impl State {
    /// Changes the topic, slow mode or lock for a bot.
    pub(super) fn arrange(&mut self, change: RoomChange, answer: Answer) {
        let before = Arc::clone(&self.room);
        let was = (before.topic.clone(), self.rules.slowmode, self.rules.locked);
        match change {
            RoomChange::Topic(topic) if topic.chars().count() > TOPIC_MAX => {
                let problem = format!("a topic can have at most {TOPIC_MAX} characters");
                return failed(answer, ActionError::Rejected(problem));
            }
            RoomChange::Topic(topic) => {
                let topic = Some(topic.trim().to_owned()).filter(|topic| !topic.is_empty());
                self.room = Arc::new(Room { topic, ..Room::clone(&before) });
            }
            RoomChange::Slowmode(pause) => self.rules.slowmode = pause,
            RoomChange::Locked(locked) => self.rules.locked = locked,
        }
        let is = (self.room.topic.clone(), self.rules.slowmode, self.rules.locked);
        if self.created.is_none() && !(is.0.is_some() || is.1 > 0 || is.2) {
            // A room without messages and without rules need not be stored.
            return done(answer);
        }
        // A repeated request is written again, since the first write may have failed, but emits no
        // event.
        let event = (was != is).then(|| {
            let kind = EventKind::RoomUpdate { before: Some(Room::clone(&before)) };
            self.event_of(self.bot_user(), None, kind)
        });
        self.hand_over(event, Rows::default(), Change::Arranged, Requester::Bot(answer));
    }

    /// Sends topic, slow mode and lock to everybody.
    pub(super) fn broadcast_rules(&mut self) {
        let room = Arc::clone(&self.room);
        let updated = RoomUpdated {
            room: &room.name,
            topic: room.topic.as_deref(),
            slowmode: self.rules.slowmode_seconds(),
            locked: self.rules.locked,
        };
        self.broadcast("room_updated", &updated, None);
    }
}
