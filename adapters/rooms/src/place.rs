//! Where a connection is: people enter rooms and leave them, and are online for as long as they have a connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ConnectInfo;
use palabre_model::{Batch, Event, EventKind, User, UserId};
use serde_json::Value;
use socketioxide::socket::Sid;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::decode::{Join, read};
use crate::limiter::{Kind, Network, Verdict, Who};
use crate::peer::{AckSender, Peer};
use crate::room::Command;
use crate::service::Rooms;
use crate::slots::Slot;
use crate::transport::{PAUSE, refuse, too_fast, turn_away};

/// Where a connection is at present.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) room: Option<mpsc::Sender<Command>>,
    pub(crate) person: Option<Person>,
    /// Held for as long as the person is somewhere on this connection.
    held: Option<Slot<(Network, String)>>,
    /// The connection has ended: nothing more is entered.
    pub(crate) is_closed: bool,
}

/// Who somebody has said to be.
#[derive(Clone)]
pub(crate) struct Person {
    username: String,
    locale: Option<String>,
}

pub(crate) type SharedPlace = Arc<Mutex<Place>>;

impl Rooms {
    pub(crate) fn join(&self, place: &SharedPlace, peer: Peer, data: Result<Value, String>, ack: AckSender) {
        let join = data.and_then(|data| read::<Join>("join_room", data)).and_then(Join::checked);
        let found = join.and_then(|join| {
            let room = self.room_for(&peer, &join)?;
            let (key, most) = (person_key(&peer, &join.username), self.config.limits.connections_per_person);
            let held = self.people.take(key, most);
            let held = held.ok_or_else(|| format!("you have {most} connections already, which is the limit"))?;
            Ok((join, room, held))
        });
        let (join, room, held) = match found {
            Ok(found) => found,
            Err(problem) => return refuse(&peer, ack, problem),
        };
        // While the place is locked the connection cannot end: whoever enters also leaves.
        let mut place = lock(place);
        if place.is_closed {
            return;
        }
        // A connection is in one room at a time.
        self.leave(&mut place, peer.id);
        let person = Person { username: join.username.clone(), locale: join.locale.clone() };
        let address = address(&peer);
        if let Err(refused) = room.try_send(Command::Join { socket: peer.clone(), join, address, ack }) {
            return turn_away(&peer, refused);
        }
        place.room = Some(room);
        place.person = Some(person.clone());
        place.held = Some(held);
        if self.directory.connects(&person.username.to_lowercase()) {
            self.presence(person, EventKind::Connect);
        }
    }

    /// The room that somebody wants to enter. Opening one that nobody is in is limited.
    fn room_for(&self, peer: &Peer, join: &Join) -> Result<mpsc::Sender<Command>, String> {
        if !self.directory.is_open(&join.room) {
            let person = Person { username: join.username.clone(), locale: None };
            if let Verdict::Refused(wait) = self.limiter.take(Kind::Room, &buckets(peer, Some(&person))) {
                peer.connection.pause(wait.min(PAUSE));
                return Err(too_fast(Kind::Room, wait));
            }
        }
        self.open_room(&join.room)
    }

    pub(crate) fn leave(&self, place: &mut Place, sid: Sid) {
        let (room, person) = (place.room.take(), place.person.take());
        place.held = None;
        if let Some(room) = room
            && let Err(TrySendError::Full(command)) = room.try_send(Command::Leave { sid })
        {
            // Must not be lost, and there is nobody to tell that the room is busy.
            let leaving = async move { drop(room.send(command).await) };
            self.spawn(leaving);
        }
        if let Some(person) = person
            && self.directory.disconnects(&person.username.to_lowercase())
        {
            self.presence(person, EventKind::Disconnect { reason: None });
        }
    }

    fn presence(&self, person: Person, kind: EventKind) {
        let Some(context) = self.context.borrow().clone() else { return };
        let Person { username, locale } = person;
        let (time, name) = (context.clock.now(), username.to_lowercase());
        let id = UserId::new(&context.bot.name, &name);
        let event = Event {
            time,
            bot: context.bot.clone(),
            space: None,
            room: None,
            member: Some(Arc::new(self.members.row(&name).member(id.clone(), time))),
            user: Some(Arc::new(User { id, name: username, bot: false, locale, picture: None })),
            kind,
        };
        drop(context.sink.emit(event, Batch::default()));
    }
}

pub(crate) fn lock(place: &SharedPlace) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The buckets from which an event is taken.
pub(crate) fn buckets(peer: &Peer, person: Option<&Person>) -> Vec<Who> {
    let network = peer.connection.network;
    let mut who = vec![Who::Connection(peer.connection.number), Who::Address(network)];
    who.extend(person.map(|person| Who::Person(network, person.username.to_lowercase())));
    who
}

fn person_key(peer: &Peer, username: &str) -> (Network, String) {
    (peer.connection.network, username.to_lowercase())
}

fn address(peer: &Peer) -> Option<IpAddr> {
    peer.request().extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}
