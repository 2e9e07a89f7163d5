//! Changes of the topic, slow mode and lock of the room.

use std::sync::Arc;

use palabre_types::{EventKind, Room, RoomChange, User};

use super::command::Origin;
use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use crate::encode::RoomUpdated;

/// Maximum length of a topic, in characters.
pub(crate) const TOPIC_MAX: usize = 1_000;

impl State {
    /// Changes topic, slow mode and lock for a moderator.
    pub(super) fn arrange_of_person(&mut self, origin: Origin, changes: Vec<RoomChange>) {
        let Some((author, requester)) = self.person(origin) else { return };
        if !self.is_moderator(&author) {
            let problem = "only moderators of this room can change its topic, slow mode and lock";
            return self.refuse_request(requester, problem.to_owned());
        }
        let by = self.user(&author.username, self.presence.locale(&author.username));
        self.arrange(changes, &(by, Some(&*author.guest)), requester);
    }

    /// Changes topic, slow mode and lock. `by` is the person, with the id, or the bot.
    pub(super) fn arrange(&mut self, changes: Vec<RoomChange>, by: &(User, Option<&str>), requester: Requester) {
        let before = Arc::clone(&self.room);
        let was = (before.topic.clone(), self.rules.slowmode, self.rules.locked);
        let is_long =
            |change: &RoomChange| matches!(change, RoomChange::Topic(topic) if topic.chars().count() > TOPIC_MAX);
        if changes.iter().any(is_long) {
            return self.refuse_request(requester, format!("a topic can have at most {TOPIC_MAX} characters"));
        }
        for change in changes {
            match change {
                RoomChange::Topic(topic) => {
                    let topic = Some(topic.trim().to_owned()).filter(|topic| !topic.is_empty());
                    self.room = Arc::new(Room { topic, ..Room::clone(&before) });
                }
                RoomChange::Slowmode(pause) => self.rules.slowmode = pause,
                RoomChange::Locked(locked) => self.rules.locked = locked,
            }
        }
        let is = (self.room.topic.clone(), self.rules.slowmode, self.rules.locked);
        if self.created.is_none() && !(is.0.is_some() || is.1 > 0 || is.2) {
            // A room without messages and without rules need not be stored.
            return requester.reply(Ok(None));
        }
        // A repeated request is written again, since the first write may have failed, but emits no
        // event.
        let event = (was != is).then(|| {
            let kind = EventKind::RoomUpdate { before: Some(Room::clone(&before)) };
            self.event_of(by.0.clone(), by.1, kind)
        });
        self.hand_over(event, Rows::default(), Change::Arranged, requester);
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
