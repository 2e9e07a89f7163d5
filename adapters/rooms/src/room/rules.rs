//! Topic, slow mode and lock of the room, and whether a person may write.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_model::{ActionError, EventKind, Millis, Outcome, Permission, Room, RoomChange};

use super::State;
use super::commits::{Change, Requester};
use super::rows::Rows;
use crate::encode::RoomUpdated;
use crate::history::MessageRow;
use crate::presence::Author;
use crate::room::command::Answer;

/// Maximum length of a topic, in characters.
const TOPIC_MAX: usize = 1_000;
/// Number of times kept in `last_messages` before those that no longer matter are dropped.
const LAST_MESSAGES_MAX: usize = 4_096;

pub(super) struct Rules {
    /// Minimum time between two messages of a person; 0 disables slow mode.
    pub(super) slowmode: Millis,
    pub(super) locked: bool,
    /// Time of each person's last message, by guest id.
    last_messages: HashMap<String, Millis>,
}

impl Rules {
    pub(super) fn new(slowmode: Millis, locked: bool, recent: &[(u64, MessageRow)]) -> Self {
        let said = recent.iter().filter_map(|(_, row)| Some((row.author.clone()?, row.time)));
        Self { slowmode, locked, last_messages: said.collect() }
    }

    /// Returns slow mode in the form that clients receive: whole seconds.
    pub(super) fn slowmode_seconds(&self) -> Option<u64> {
        (self.slowmode > 0).then(|| self.slowmode.div_ceil(1_000))
    }

    /// Records the time of a message.
    pub(super) fn record_message(&mut self, guest: &str, now: Millis) {
        if self.last_messages.len() >= LAST_MESSAGES_MAX {
            let slowmode = self.slowmode;
            self.last_messages.retain(|_, last| now < last.saturating_add(slowmode));
        }
        self.last_messages.insert(guest.to_owned(), now);
    }

    /// Forgets the time of a message that could not be saved.
    pub(super) fn forget_message(&mut self, guest: &str) {
        self.last_messages.remove(guest);
    }

    /// Returns the time that a person has to wait before the next message.
    fn wait(&self, guest: &str, now: Millis) -> Option<Millis> {
        let next = self.last_messages.get(guest)?.saturating_add(self.slowmode);
        // A longer wait than slow mode means that the clock was set back.
        (now < next && next - now <= self.slowmode).then(|| next - now)
    }
}

impl State {
    /// Checks whether a person may post, edit or react now. The error says why not.
    pub(super) fn may_speak(&self, author: &Author, now: Millis) -> Result<(), String> {
        self.may_write(author, now)?;
        let is_bound = self.rules.locked || self.rules.slowmode > 0;
        if !is_bound || self.is_moderator(&author.username) {
            return Ok(());
        }
        if self.rules.locked {
            return Err("the room is locked: only moderators can write for now".to_owned());
        }
        if let Some(left) = self.rules.wait(&author.guest, now) {
            let left = left.div_ceil(1_000);
            return Err(format!("the room is in slow mode: you can write again in {left} s"));
        }
        Ok(())
    }

    /// Whether a user is exempt from the rules: a moderator must be able to lift them.
    fn is_moderator(&self, username: &str) -> bool {
        let event = self.event(username, EventKind::Typing { status: None });
        self.cx.context.gate.permission(&event) >= Permission::Moderator
    }

    /// Checks that a person is not muted.
    pub(super) fn may_write(&self, author: &Author, now: Millis) -> Result<(), String> {
        let muting = self.cx.members.muting(&author.username.to_lowercase(), &author.guest, now);
        muting.and_then(|row| row.muted(now)).map_or(Ok(()), Err)
    }

    /// Changes the topic, slow mode or lock for a bot.
    pub(super) fn arrange(&mut self, change: RoomChange, answer: Answer) {
        let before = Arc::clone(&self.room);
        let was = (before.topic.clone(), self.rules.slowmode, self.rules.locked);
        match change {
            RoomChange::Topic(topic) if topic.chars().count() > TOPIC_MAX => {
                let problem = format!("a topic can have at most {TOPIC_MAX} characters");
                let _asked = answer.send(Err(ActionError::Rejected(problem)));
                return;
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
            let _asked = answer.send(Ok(Outcome::default()));
            return;
        }
        // A repeated request is written again, since the first write may have failed, but emits no
        // event.
        let event = (was != is).then(|| {
            let kind = EventKind::RoomUpdate { before: Some(Room::clone(&before)) };
            self.event_of(self.bot_user(), None, kind)
        });
        self.hand_over(event, Rows::default(), Change::Arranged, Requester::Bot(answer));
    }

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
