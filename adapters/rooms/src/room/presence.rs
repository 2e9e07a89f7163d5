//! Coming and going, and who is there.

use std::net::IpAddr;

use palabre_model::{EventKind, User};
use serde_json::json;
use socketioxide::socket::Sid;

use super::State;
use crate::decode::Join;
use crate::encode::{Announced, Moderated, RoomJoined, Told, WireUser, end, message};
use crate::peer::Peer;
use crate::roster::{Seat, same};

impl State {
    /// Why the client may not come in, if it may not.
    pub(super) async fn join(&mut self, socket: Peer, join: Join, address: Option<IpAddr>) -> Option<String> {
        let nickname = &self.around.config.nickname;
        let claimed = if same(nickname, &join.username) {
            Err(format!("the name {nickname} belongs to the bots"))
        } else {
            self.roster.claim(&join.username, address)
        };
        let username = match claimed {
            Ok(username) => username,
            Err(problem) => return Some(turned_away(&socket, problem)),
        };
        let missed = match &join.last_id {
            Some(id) => self.missed(id).await,
            None => None,
        };
        let (rows, catch_up) = missed.map_or_else(|| (self.shown(), false), |missed| (missed, true));
        let pinned = self.pins().await;
        let (now, name) = (self.around.context.clock.now(), username.to_lowercase());
        let first = !self.roster.has(&username);
        if first {
            // Before bans are looked at: one that is made at this moment is seen here, or finds the person here.
            self.around.directory.enters(&name, &self.room.name);
        }
        let member = self.around.members.row(&name);
        if let Some(problem) = member.banned(now) {
            if first {
                self.around.directory.leaves(&name, &self.room.name);
            }
            let (reason, until) = (member.reason.as_deref(), end(member.banned_until));
            drop(socket.emit("moderated", &Moderated { kind: "banned", reason, until, name: None }));
            return Some(turned_away(&socket, problem));
        }
        // Seated before it is told, so that nothing that is shown from now on is missed.
        self.roster.sit(Seat {
            socket: socket.clone(),
            username: username.clone(),
            address,
            locale: join.locale,
            is_leaving: false,
        });
        let room = &self.room.name;
        let joined = RoomJoined {
            room,
            username: &username,
            messages: rows.iter().map(|row| message(room, row)).collect(),
            users: self.users(),
            catch_up,
            pinned: pinned.iter().map(|row| message(room, row)).collect(),
            topic: self.room.topic.as_deref(),
            slowmode: self.rules.slowmode_seconds(),
            locked: self.rules.locked,
        };
        drop(socket.emit("room_joined", &joined));
        if member.is_muted(now) {
            let (reason, until) = (member.reason.as_deref(), end(member.muted_until));
            drop(socket.emit("moderated", &Moderated { kind: "muted", reason, until, name: None }));
        }
        if first {
            let announced = Announced { username: &username, message: format!("{username} joined the room") };
            self.tell("user_joined", &announced, Some(socket.id));
            self.tell_users();
            self.emit(self.event(&username, EventKind::Join { by: None, reason: None }));
        }
        None
    }

    pub(super) fn leave(&mut self, sid: Sid) {
        if let Some((seat, true)) = self.roster.stand(sid) {
            self.gone(seat, "left the room", None, None);
        }
    }

    /// The last connection of somebody is gone from the room; `by` somebody else, where it was not they themselves.
    pub(super) fn gone(&mut self, seat: Seat, how: &str, by: Option<User>, reason: Option<String>) {
        let Seat { username, locale, .. } = seat;
        self.around.directory.leaves(&username.to_lowercase(), &self.room.name);
        let announced = Announced { username: &username, message: format!("{username} {how}") };
        self.tell("user_left", &announced, None);
        self.tell_users();
        self.emit(self.event_of(self.user(&username, locale), EventKind::Leave { by, reason }));
    }

    pub(super) fn typing(&mut self, sid: Sid, is_typing: bool) {
        let Some(seat) = self.roster.seat(sid) else { return };
        let username = seat.username.clone();
        self.tell("user_typing", &json!({ "username": username, "is_typing": is_typing }), Some(sid));
        let status = Some(if is_typing { "typing" } else { "stopped" }.to_owned());
        self.emit(self.event(&username, EventKind::Typing { status }));
    }

    pub(super) fn tell_users_to(&mut self, sid: Sid) {
        let users = json!({ "room": self.room.name, "users": self.users() });
        if let Some(seat) = self.roster.seat(sid) {
            drop(seat.socket.emit("room_users", &users));
        }
    }

    fn tell_users(&mut self) {
        let users = json!({ "room": self.room.name, "users": self.users() });
        self.tell("room_users", &users, None);
    }

    fn users(&self) -> Vec<WireUser> {
        self.roster.users(&self.around.config.nickname)
    }
}

/// Says to somebody why they may not come in.
fn turned_away(socket: &Peer, problem: String) -> String {
    drop(socket.emit("error", &Told { message: &problem }));
    problem
}
