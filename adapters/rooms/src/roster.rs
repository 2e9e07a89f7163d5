//! Who is in a room, on which connections.

use std::net::IpAddr;

use serde::Serialize;
use socketioxide::socket::Sid;

use crate::encode::WireUser;
use crate::peer::{self, Peer};

/// A connection in a room.
pub(crate) struct Seat {
    pub(crate) socket: Peer,
    pub(crate) username: String,
    pub(crate) address: Option<IpAddr>,
    /// The language of the person, where the client has said it.
    pub(crate) locale: Option<String>,
    /// Its queue is full: it is told nothing more, and is on its way out.
    pub(crate) is_leaving: bool,
}

#[derive(Default)]
pub(crate) struct Roster {
    seats: Vec<Seat>,
}

impl Roster {
    pub(crate) fn seat(&mut self, sid: Sid) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|seat| seat.socket.id == sid)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub(crate) fn has(&self, username: &str) -> bool {
        self.seats.iter().any(|seat| same(&seat.username, username))
    }

    /// The name under which somebody may sit: their own, unless somebody from elsewhere has it already. One person may come
    /// twice, from the same address: in two tabs, or again before the old connection is known to be dead.
    pub(crate) fn claim(&self, username: &str, address: Option<IpAddr>) -> Result<String, String> {
        match self.seats.iter().find(|seat| same(&seat.username, username)) {
            None => Ok(username.to_owned()),
            Some(seat) if seat.address == address => Ok(seat.username.clone()),
            Some(_) => Err(format!("the name {username} is taken in this room")),
        }
    }

    pub(crate) fn sit(&mut self, seat: Seat) {
        self.seats.push(seat);
    }

    /// The connection leaves; its seat, and whether it was the person's last one here.
    pub(crate) fn stand(&mut self, sid: Sid) -> Option<(Seat, bool)> {
        let place = self.seats.iter().position(|seat| seat.socket.id == sid)?;
        let seat = self.seats.remove(place);
        let last = !self.has(&seat.username);
        Some((seat, last))
    }

    /// All connections of a person leave; the last of their seats.
    pub(crate) fn stand_all(&mut self, username: &str) -> Option<Seat> {
        let mut last = None;
        while let Some(place) = self.seats.iter().position(|seat| same(&seat.username, username)) {
            last = Some(self.seats.remove(place));
        }
        last
    }

    /// The name of somebody who is here, as they write it.
    pub(crate) fn name(&self, username: &str) -> Option<String> {
        self.seats.iter().find(|seat| same(&seat.username, username)).map(|seat| seat.username.clone())
    }

    /// The language of somebody who is here, as the newest of their connections that says one has it.
    pub(crate) fn locale(&self, username: &str) -> Option<String> {
        self.seats.iter().rev().filter(|seat| same(&seat.username, username)).find_map(|seat| seat.locale.clone())
    }

    /// Everybody, each once, sorted.
    pub(crate) fn users(&self, bot: &str) -> Vec<WireUser> {
        let mut names: Vec<_> = self.seats.iter().map(|seat| seat.username.clone()).collect();
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup();
        let people = names.into_iter().map(|username| WireUser { username, bot: false });
        people.chain([WireUser { username: bot.to_owned(), bot: true }]).collect()
    }

    /// Sends to whom it `concerns`. Returns the connections whose queue is full.
    pub(crate) fn tell<T: Serialize>(&mut self, event: &str, data: &T, concerns: impl Fn(&Seat) -> bool) -> Vec<Peer> {
        let mut full = Vec::new();
        let mut size = None;
        for seat in &mut self.seats {
            if seat.is_leaving || !concerns(seat) {
                continue;
            }
            if let Err(socketioxide::SendError::Socket(socketioxide::SocketError::InternalChannelFull)) =
                seat.socket.emit_sized(event, data, *size.get_or_insert_with(|| peer::size(data)))
            {
                seat.is_leaving = true;
                full.push(seat.socket.clone());
            }
        }
        full
    }
}

/// Names that people would take for the same.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}
