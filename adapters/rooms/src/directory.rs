//! Which rooms are open, and where people are: what rooms and connections know of each other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::room::Command;

/// Shared by the service and its rooms. People are known by lower-case username.
#[derive(Default)]
pub(crate) struct Directory {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<String, mpsc::Sender<Command>>,
    /// How many connections each person has, over all rooms.
    connections: HashMap<String, usize>,
    /// The rooms that each person is in.
    places: HashMap<String, Vec<String>>,
}

impl Directory {
    /// The room of that name, opened if need be; `limit` is how many there may be.
    pub(crate) fn room(
        &self,
        name: &str,
        limit: usize,
        open: impl FnOnce() -> Result<mpsc::Sender<Command>, String>,
    ) -> Result<mpsc::Sender<Command>, String> {
        let mut known = self.lock();
        if let Some(room) = known.rooms.get(name)
            && !room.is_closed()
        {
            return Ok(room.clone());
        }
        known.rooms.retain(|_, room| !room.is_closed());
        if known.rooms.len() >= limit {
            return Err(format!("there are {limit} rooms already, which is the limit"));
        }
        let room = open()?;
        known.rooms.insert(name.to_owned(), room.clone());
        Ok(room)
    }

    /// Whether the room of that name is open.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.lock().rooms.get(name).is_some_and(|room| !room.is_closed())
    }

    /// The rooms that are open now.
    pub(crate) fn rooms(&self) -> Vec<(String, mpsc::Sender<Command>)> {
        let known = self.lock();
        let open = known.rooms.iter().filter(|(_, room)| !room.is_closed());
        open.map(|(name, room)| (name.clone(), room.clone())).collect()
    }

    /// The rooms that somebody is in.
    pub(crate) fn rooms_of(&self, person: &str) -> Vec<(String, mpsc::Sender<Command>)> {
        let known = self.lock();
        let places = known.places.get(person).into_iter().flatten();
        places.filter_map(|name| Some((name.clone(), known.rooms.get(name)?.clone()))).collect()
    }

    /// Somebody is in a room now.
    pub(crate) fn enters(&self, person: &str, room: &str) {
        let mut known = self.lock();
        let places = known.places.entry(person.to_owned()).or_default();
        if !places.iter().any(|other| other == room) {
            places.push(room.to_owned());
        }
    }

    /// Somebody is no longer in a room.
    pub(crate) fn leaves(&self, person: &str, room: &str) {
        let mut known = self.lock();
        let Some(places) = known.places.get_mut(person) else { return };
        places.retain(|other| other != room);
        if places.is_empty() {
            known.places.remove(person);
        }
    }

    /// One connection more of a person; true when it is the first.
    pub(crate) fn connects(&self, person: &str) -> bool {
        let mut known = self.lock();
        let count = known.connections.entry(person.to_owned()).or_default();
        *count += 1;
        *count == 1
    }

    /// One connection less; true when it was the last.
    pub(crate) fn disconnects(&self, person: &str) -> bool {
        let mut known = self.lock();
        let Some(count) = known.connections.get_mut(person) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            known.connections.remove(person);
        }
        last
    }

    /// How many people are online.
    pub(crate) fn people(&self) -> usize {
        self.lock().connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
