//! The room that a connection is in.
//!
//! People join and leave rooms, and are online while they have a connection in one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_types::{Batch, Event, EventKind, User, UserId};
use serde_json::Value;
use socketioxide::socket::Sid;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::decode::{Join, read};
use crate::guests::Guest;
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::peer::{AckSender, Peer};
use crate::permits::Permit;
use crate::refusal::{slow_down, turn_away};
use crate::room::command::Command;
use crate::room::joining::CLOSED;
use crate::service::Rooms;
use crate::session::Session;

/// The room and the person of a connection at present.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) room: Option<mpsc::Sender<Command>>,
    person: Option<Person>,
    /// Held while the connection is in a room.
    permit: Option<Permit<(Network, Arc<str>)>>,
    /// The connection has ended: it can no longer join a room.
    pub(crate) is_closed: bool,
    session: Option<Arc<Session>>,
}

impl Place {
    /// Returns the place of a new connection.
    pub(crate) fn of(session: &Arc<Session>) -> Self {
        Self { session: Some(Arc::clone(session)), ..Self::default() }
    }

    /// The guest or the account of this connection.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_deref()
    }

    /// The guest of this connection, while it is in a room.
    pub(crate) fn guest(&self) -> Option<&Guest> {
        self.person.as_ref().map(|person| &person.guest)
    }
}

/// The person as which a connection has joined.
#[derive(Clone)]
struct Person {
    username: String,
    guest: Guest,
    locale: Option<String>,
}

pub(crate) type SharedPlace = Arc<Mutex<Place>>;

impl Rooms {
    pub(crate) fn join(
        &self,
        place: &SharedPlace,
        session: &Session,
        peer: Peer,
        data: Result<Value, String>,
        ack: AckSender,
    ) {
        let join = data.and_then(|data| read::<Join>("join_room", data)).and_then(Join::checked);
        let found = join.and_then(|mut join| {
            join.username = self.name_of(join.username, session)?;
            join.room = self.room_names.known(&join.room);
            let account = session.credential().map(|credential| credential.account.id.as_str());
            if !self.authority.groups.may_enter(&join.room, account) {
                return Err(CLOSED.to_owned());
            }
            let room = self.room_for(&peer, &session.guest, &join.room)?;
            let key = (peer.connection.network, Arc::clone(&session.guest.id));
            let limit = self.config.limits.connections_per_person;
            let permit = self.people.take(key, limit);
            let permit = permit
                .ok_or_else(|| format!("you already have {limit} connections, which is the limit; close one first"))?;
            Ok((join, room, permit))
        });
        let (join, room, permit) = match found {
            Ok(found) => found,
            Err(problem) => return peer.refuse(ack, problem),
        };
        // The connection cannot end while the lock is held, so every join is followed by a leave.
        let mut place = lock(place);
        if place.is_closed {
            return;
        }
        let name = join.username.to_lowercase();
        // Before the previous room is left, so that nobody else can take the name in between.
        let first = match self.directory.connect(&name, &session.guest.id) {
            Ok(first) => first,
            Err(problem) => return peer.refuse(ack, problem),
        };
        self.record_use(session);
        // A connection is in one room at a time.
        self.leave(&mut place, peer.id);
        let guest = session.guest.clone();
        let person = Person { username: join.username.clone(), guest: guest.clone(), locale: join.locale.clone() };
        if let Err(refused) = room.try_send(Command::Join { socket: peer.clone(), join, guest, ack }) {
            if self.directory.disconnect(&name) && !first {
                self.presence(person, EventKind::Disconnect { reason: None });
            }
            return turn_away(&peer, refused);
        }
        place.room = Some(room);
        place.person = Some(person.clone());
        place.permit = Some(permit);
        if first {
            self.presence(person, EventKind::Connect);
        }
    }

    /// Returns the room to join. Opening an empty room is rate limited.
    fn room_for(&self, peer: &Peer, guest: &Guest, room: &str) -> Result<mpsc::Sender<Command>, String> {
        if !self.directory.is_open(room)
            && let Verdict::Refused(wait) = self.limiter.take(Kind::Room, &buckets(peer, Some(guest)))
        {
            return Err(slow_down(peer, Kind::Room, wait));
        }
        self.open_room(room)
    }

    pub(crate) fn leave(&self, place: &mut Place, sid: Sid) {
        let (room, person) = (place.room.take(), place.person.take());
        place.permit = None;
        if let Some(room) = room
            && let Err(TrySendError::Full(command)) = room.try_send(Command::Leave { sid })
        {
            // The command must not be lost, and no client waits for an error.
            let leaving = async move { drop(room.send(command).await) };
            self.spawn(leaving);
        }
        if let Some(person) = person
            && self.directory.disconnect(&person.username.to_lowercase())
        {
            self.presence(person, EventKind::Disconnect { reason: None });
        }
    }

    fn presence(&self, person: Person, kind: EventKind) {
        let Some(context) = self.context.borrow().clone() else { return };
        let Person { username, guest, locale } = person;
        let (time, name) = (context.clock.now(), username.to_lowercase());
        let id = UserId::new(&context.bot.name, &name);
        let bot = self.authority.is_program(&guest.id);
        let event = Event {
            time,
            bot: context.bot.clone(),
            space: None,
            room: None,
            member: Some(Arc::new(self.member_of(&id, Some(&*guest.id)))),
            user: Some(Arc::new(User { id, name: username, bot, locale, picture: None })),
            kind,
        };
        drop(context.sink.emit(event, Batch::default()));
    }
}

pub(crate) fn lock(place: &SharedPlace) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the owners of the buckets from which an event is taken.
pub(crate) fn buckets(peer: &Peer, guest: Option<&Guest>) -> Vec<Who> {
    let network = peer.connection.network;
    let mut who = vec![Who::Connection(peer.connection.number), Who::Address(network)];
    who.extend(guest.map(|guest| Who::Person(network, Arc::clone(&guest.id))));
    who
}
