//! Joining and leaving the room.

use palabre_types::{EventKind, User};
use serde_json::json;
use socketioxide::socket::Sid;

use super::erasing::GONE;
use super::state::State;
use super::state::pages::StoredPage;
use crate::accounts::rows::is_account_id;
use crate::decode::{Join, PAGE_MAX};
use crate::encode::{Ack, Moderated, RoomJoined, end, message};
use crate::guests::{Guest, public_id};
use crate::peer::{AckSender, Peer};
use crate::presence::{Author, RoomSession};

/// The refusal of a room that is not open to a person.
pub(crate) const CLOSED: &str = "this room is private, or was deleted; you need an invite";

impl State {
    /// Adds a session. It receives `room_joined` once the first page of messages has been read.
    pub(super) fn join(&mut self, socket: Peer, join: Join, guest: Guest, ack: AckSender) {
        let Join { username, last_id, locale, .. } = join;
        if self.is_gone() {
            return socket.refuse(ack, GONE.to_owned());
        }
        let (username, first) = match self.admit(&socket, &username, &guest) {
            Ok(admitted) => admitted,
            Err(problem) => return socket.refuse(ack, problem),
        };
        self.joins += 1;
        let sid = socket.id;
        self.presence.join(RoomSession {
            socket,
            name: username.to_lowercase(),
            username: username.clone(),
            guest,
            locale,
            join_number: self.joins,
            is_in: false,
            is_reading: false,
            is_leaving: false,
        });
        match last_id {
            Some(id) => self.read_missed(sid, id, ack),
            None => self.enter(sid, None, ack),
        }
        if first {
            self.announce_join(&username, sid);
            self.emit(self.event(&username, EventKind::Join { by: None, reason: None }));
        }
    }

    /// Returns the name under which a guest may join, and whether the guest is new to the room.
    ///
    /// The error says why the guest may not join.
    fn admit(&self, socket: &Peer, username: &str, guest: &Guest) -> Result<(String, bool), String> {
        let account = is_account_id(&guest.id).then_some(&*guest.id);
        // The room may have been closed to the person since the request was admitted.
        if !self.cx.authority.groups.may_enter(&self.room.name, account) {
            return Err(CLOSED.to_owned());
        }
        let username = self.presence.claim(username, guest)?;
        let (now, name) = (self.cx.context.clock.now(), username.to_lowercase());
        let first = !self.presence.has(&username);
        if first {
            // Before bans are checked: a ban set at this moment is either seen here or finds the
            // person here.
            self.cx.directory.enter_room(&name, &self.room.name);
        }
        let Some(row) = self.cx.members.banning(&name, &guest.id, now) else { return Ok((username, first)) };
        if first {
            self.cx.directory.leave_room(&name, &self.room.name);
        }
        let (reason, until) = (row.reason.as_deref(), end(row.banned_until));
        drop(socket.emit("moderated", &Moderated { kind: "banned", reason, until, name: None }));
        Err(row.banned(now).unwrap_or_else(|| "you are banned".to_owned()))
    }

    /// Sends `room_joined` with the missed messages, or with the newest ones.
    ///
    /// From here on the session receives broadcasts.
    pub(super) fn enter(&mut self, sid: Sid, missed: Option<StoredPage>, ack: AckSender) {
        let missed = missed.and_then(|found| self.caught_up(found));
        let catch_up = missed.is_some();
        let page = missed.unwrap_or_else(|| self.newest());
        let pinned = self.pins();
        let nickname = self.cx.config.nickname.clone();
        let Some(session) = self.presence.session(sid) else { return };
        (session.is_in, session.is_reading) = (true, false);
        let (socket, username, name, guest) =
            (session.socket.clone(), session.username.clone(), session.name.clone(), session.guest.clone());
        let (users, next_users) = self.presence.page(None, PAGE_MAX, &nickname);
        let room = &self.room.name;
        let joined = RoomJoined {
            room,
            username: &username,
            token: &guest.token,
            author: public_id(&guest.id),
            messages: page.rows.iter().map(|(_, row)| message(room, row)).collect(),
            catch_up,
            has_more: page.has_more,
            cursor: page.cursor.as_deref(),
            users,
            count: self.presence.count(),
            next_users,
            pinned: pinned.iter().map(|row| message(room, row)).collect(),
            topic: self.room.topic.as_deref(),
            slowmode: self.rules.slowmode_seconds(),
            locked: self.rules.locked,
        };
        drop(socket.emit("room_joined", &joined));
        if let Some(row) = self.cx.members.muting(&name, &guest.id, self.cx.context.clock.now()) {
            let (reason, until) = (row.reason.as_deref(), end(row.muted_until));
            drop(socket.emit("moderated", &Moderated { kind: "muted", reason, until, name: None }));
        }
        drop(ack.send(&Ack::Done {}));
    }

    /// Removes a session.
    pub(super) fn leave(&mut self, sid: Sid) {
        if let Some((session, true)) = self.presence.leave(sid) {
            self.left(session, "left the room", None, None);
        }
    }

    /// Removes disconnected clients from the room at once: a stalled connection may last a while.
    pub(super) fn remove_slow_clients(&mut self) {
        // Announcing a leave may find further slow clients.
        while let Some(sid) = self.too_slow.pop() {
            self.leave(sid);
        }
    }

    /// Announces that the last session of a person has left. `by` is set if the person was removed.
    pub(super) fn left(&mut self, session: RoomSession, how: &str, by: Option<User>, reason: Option<String>) {
        let RoomSession { username, name, locale, guest, .. } = session;
        self.cx.directory.leave_room(&name, &self.room.name);
        self.announce_leave(&username, how);
        let user = self.user(&username, locale);
        self.emit(self.event_of(user, Some(&*guest.id), EventKind::Leave { by, reason }));
    }

    /// Tells the others that a person is typing, or has stopped.
    pub(super) fn typing(&mut self, sid: Sid, is_typing: bool) {
        let Some(author) = self.presence.session(sid).map(|session| session.author()) else { return };
        self.typing_of(&author, is_typing, Some(sid));
    }

    /// Tells everybody except one session that a person is typing, or has stopped.
    pub(super) fn typing_of(&mut self, author: &Author, is_typing: bool, except: Option<Sid>) {
        if self.is_gone() || self.may_write(author, self.cx.context.clock.now()).is_err() {
            // No message can follow.
            return;
        }
        let username = &author.username;
        self.broadcast("user_typing", &json!({ "username": username, "is_typing": is_typing }), except);
        let status = Some(if is_typing { "typing" } else { "stopped" }.to_owned());
        self.emit(self.event_by(author, EventKind::Typing { status }));
    }
}
