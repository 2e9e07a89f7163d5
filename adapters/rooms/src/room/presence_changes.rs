//! Announcing joins and leaves, together in a large room, and sending pages of the member list.

use socketioxide::socket::Sid;

use super::state::State;
use super::state::presence_changes::PresenceChanges;
use crate::decode::{PAGE_MAX, Users};
use crate::encode::{Ack, Announced, NOT_IN_ROOM, Presence, RoomUsers};
use crate::peer::AckSender;

/// Maximum number of joins, and of leaves, that are named in one announcement.
const NAMES_MAX: usize = 200;

impl State {
    /// Announces a join to everybody except the session `sid`.
    pub(super) fn announce_join(&mut self, username: &str, sid: Sid) {
        if self.is_batched() {
            return self.presence_changes.join(username);
        }
        let (message, count) = (format!("{username} joined the room"), self.presence.count());
        self.broadcast("user_joined", &Announced { username, message, count }, Some(sid));
    }

    /// Announces a leave.
    pub(super) fn announce_leave(&mut self, username: &str, how: &str) {
        if self.is_batched() {
            return self.presence_changes.leave(username);
        }
        let (message, count) = (format!("{username} {how}"), self.presence.count());
        self.broadcast("user_left", &Announced { username, message, count }, None);
    }

    /// Whether changes are announced together. Pending ones go before single announcements resume.
    fn is_batched(&self) -> bool {
        self.presence_changes.due().is_some() || self.presence.count() > self.cx.config.presence_limit
    }

    /// Broadcasts the joins and leaves since the last announcement.
    pub(super) fn broadcast_presence(&mut self) {
        let PresenceChanges { joined, left, .. } = std::mem::take(&mut self.presence_changes);
        if joined.is_empty() && left.is_empty() {
            return;
        }
        let truncated = joined.len() > NAMES_MAX || left.len() > NAMES_MAX;
        let room = self.room.name.clone();
        let presence = Presence {
            room: &room,
            joined: joined.into_values().take(NAMES_MAX).collect(),
            left: left.into_values().take(NAMES_MAX).collect(),
            count: self.presence.count(),
            truncated,
        };
        self.broadcast("presence", &presence, None);
    }

    /// Sends a page of the member list to one session.
    pub(super) fn send_users(&mut self, sid: Sid, users: &Users, ack: AckSender) {
        let (cursor, limit) = (users.cursor.as_deref(), users.limit.unwrap_or(PAGE_MAX));
        let (users, next) = self.presence.page(cursor, limit, &self.cx.config.nickname);
        let count = self.presence.count();
        let Some(session) = self.presence.session(sid) else {
            drop(ack.send(&Ack::Error { error: NOT_IN_ROOM.to_owned() }));
            return;
        };
        drop(session.socket.emit("room_users", &RoomUsers { room: &self.room.name, users, count, cursor, next }));
        drop(ack.send(&Ack::Done {}));
    }
}
