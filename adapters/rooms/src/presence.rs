//! The people in a room and their sessions.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde::Serialize;
use socketioxide::socket::Sid;

use crate::accounts::rows::{Account, is_account_id};
use crate::encode::WireUser;
use crate::guests::{Guest, PersonKind};
use crate::json_size::json_size;
use crate::peer::Peer;
use crate::webhooks::registry::author_of;

/// A session in a room.
pub(crate) struct RoomSession {
    pub(crate) socket: Peer,
    pub(crate) username: String,
    /// Lower-case username.
    pub(crate) name: String,
    pub(crate) guest: Guest,
    /// The language of the person, if the client gave one.
    pub(crate) locale: Option<String>,
    /// Distinguishes this stay in the room from earlier ones of the same session.
    pub(crate) join_number: u64,
    /// `room_joined` has been sent; the session receives broadcasts.
    pub(crate) is_in: bool,
    /// A page of the history is being read for it.
    pub(crate) is_reading: bool,
    /// Its queue is full: it receives nothing more and is about to leave.
    pub(crate) is_leaving: bool,
}

/// The person who performs an action in a room.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) username: String,
    pub(crate) kind: PersonKind,
    /// The id of the guest or of the account.
    pub(crate) guest: Arc<str>,
}

impl Author {
    /// Returns an account as an author.
    pub(crate) fn of_account(account: &Account) -> Self {
        let Guest { kind, id: guest, .. } = Guest::of_account(&account.id);
        Self { username: account.row.username.clone(), kind, guest }
    }

    /// Returns an incoming webhook as an author. `id` is its id.
    pub(crate) fn of_webhook(username: String, id: &str) -> Self {
        Self { username, kind: PersonKind::Webhook, guest: author_of(id).into() }
    }

    /// Returns the author of a stored message. `id` is that of an account or guest.
    pub(crate) fn of_stored(username: String, id: &str) -> Self {
        let kind = if is_account_id(id) { PersonKind::Account } else { PersonKind::Guest };
        Self { username, kind, guest: id.into() }
    }
}

impl RoomSession {
    pub(crate) fn author(&self) -> Author {
        Author { username: self.username.clone(), kind: self.guest.kind, guest: Arc::clone(&self.guest.id) }
    }
}

#[derive(Default)]
pub(crate) struct RoomPresence {
    sessions: Vec<RoomSession>,
    /// The people in the room by lower-case username, each once.
    people: BTreeMap<String, Person>,
}

struct Person {
    /// In the person's own spelling.
    username: String,
    connections: usize,
}

impl RoomPresence {
    pub(crate) fn session(&mut self, sid: Sid) -> Option<&mut RoomSession> {
        self.sessions.iter_mut().find(|session| session.socket.id == sid)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    pub(crate) fn has(&self, username: &str) -> bool {
        self.people.contains_key(&username.to_lowercase())
    }

    /// Number of people in the room.
    pub(crate) fn count(&self) -> usize {
        self.people.len()
    }

    /// Returns the name under which a guest may join: the given one, or its spelling in use.
    ///
    /// The guest may already be here, in another tab or on a connection that is not yet known to be
    /// dead.
    pub(crate) fn claim(&self, username: &str, guest: &Guest) -> Result<String, String> {
        match self.newest(&username.to_lowercase()) {
            None => Ok(username.to_owned()),
            Some(session) if session.guest.id == guest.id => Ok(session.username.clone()),
            Some(_) => Err(format!("the name {username} is taken; choose another one")),
        }
    }

    pub(crate) fn join(&mut self, session: RoomSession) {
        let newcomer = || Person { username: session.username.clone(), connections: 0 };
        self.people.entry(session.name.clone()).or_insert_with(newcomer).connections += 1;
        self.sessions.push(session);
    }

    /// Removes a session. Returns it, and whether it was the person's last one here.
    pub(crate) fn leave(&mut self, sid: Sid) -> Option<(RoomSession, bool)> {
        let place = self.sessions.iter().position(|session| session.socket.id == sid)?;
        let session = self.sessions.remove(place);
        let Some(person) = self.people.get_mut(&session.name) else { return Some((session, true)) };
        person.connections = person.connections.saturating_sub(1);
        let last = person.connections == 0;
        if last {
            self.people.remove(&session.name);
        }
        Some((session, last))
    }

    /// Removes all sessions of a person. Returns the last of them.
    pub(crate) fn leave_all(&mut self, username: &str) -> Option<RoomSession> {
        let name = username.to_lowercase();
        self.people.remove(&name)?;
        let mut last = None;
        while let Some(place) = self.sessions.iter().position(|session| session.name == name) {
            last = Some(self.sessions.remove(place));
        }
        last
    }

    /// Returns the name of a person in the room, in the person's own spelling.
    pub(crate) fn name(&self, username: &str) -> Option<String> {
        self.people.get(&username.to_lowercase()).map(|person| person.username.clone())
    }

    /// Returns the language of a person in the room, from the newest session that has one.
    pub(crate) fn locale(&self, username: &str) -> Option<String> {
        let name = username.to_lowercase();
        self.sessions.iter().rev().filter(|session| session.name == name).find_map(|session| session.locale.clone())
    }

    /// Returns the id of the guest in the room under that name.
    pub(crate) fn guest(&self, username: &str) -> Option<Arc<str>> {
        self.newest(&username.to_lowercase()).map(|session| Arc::clone(&session.guest.id))
    }

    /// Returns the names of the people whose ids, of accounts or guests, `concerns` selects.
    pub(crate) fn names_where(&self, concerns: impl Fn(&str) -> bool) -> Vec<String> {
        let mut names: Vec<String> = self
            .sessions
            .iter()
            .filter(|session| concerns(&session.guest.id))
            .map(|session| session.name.clone())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Returns the names of all people, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.people.values().map(|person| person.username.clone()).collect()
    }

    /// Returns `limit` people after `cursor`, and the cursor of the next page.
    ///
    /// The bot follows the last of them.
    pub(crate) fn page(&self, cursor: Option<&str>, limit: usize, bot: &str) -> (Vec<WireUser>, Option<String>) {
        let from = cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.people.range::<str, _>((from, Bound::Unbounded));
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let mut users: Vec<_> =
            page.iter().map(|(_, person)| WireUser { username: person.username.clone(), bot: false }).collect();
        let next = rest.next().and_then(|_| page.last().map(|(name, _)| (*name).clone()));
        if next.is_none() {
            users.push(WireUser { username: bot.to_owned(), bot: true });
        }
        (users, next)
    }

    /// Sends an event to the sessions that `concerns` selects.
    ///
    /// Returns the clients whose queue is full.
    pub(crate) fn broadcast<T: Serialize>(
        &mut self,
        event: &str,
        data: &T,
        concerns: impl Fn(&RoomSession) -> bool,
    ) -> Vec<Peer> {
        let mut full = Vec::new();
        let mut size = None;
        for session in &mut self.sessions {
            if session.is_leaving || !concerns(session) {
                continue;
            }
            if let Err(socketioxide::SendError::Socket(socketioxide::SocketError::InternalChannelFull)) =
                session.socket.emit_sized(event, data, *size.get_or_insert_with(|| json_size(data)))
            {
                session.is_leaving = true;
                full.push(session.socket.clone());
            }
        }
        full
    }

    fn newest(&self, name: &str) -> Option<&RoomSession> {
        self.sessions.iter().rev().find(|session| session.name == name)
    }
}
