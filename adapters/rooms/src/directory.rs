//! The open rooms, the names in use, and the rooms that each person is in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use palabre_text::skeleton;
use tokio::sync::mpsc;

use crate::room::command::Command;

/// Shared by the service and its rooms. People are identified by lower-case username.
#[derive(Default)]
pub(crate) struct Directory {
    state: Mutex<DirectoryState>,
}

#[derive(Default)]
struct DirectoryState {
    rooms: HashMap<String, mpsc::Sender<Command>>,
    /// The guest who holds each name in all rooms, by skeleton of the name.
    holders: HashMap<String, Holder>,
    /// The rooms that each person is in.
    rooms_by_person: HashMap<String, Vec<String>>,
}

/// A guest who is online under a name and holds it for as long as that lasts.
struct Holder {
    name: String,
    /// The guest's id.
    guest: Arc<str>,
    connections: usize,
}

impl Directory {
    /// Returns the room of that name and opens it if necessary.
    ///
    /// `limit` is the maximum number of open rooms.
    pub(crate) fn room(
        &self,
        name: &str,
        limit: usize,
        open: impl FnOnce() -> Result<mpsc::Sender<Command>, String>,
    ) -> Result<mpsc::Sender<Command>, String> {
        let mut state = self.lock();
        if let Some(room) = state.rooms.get(name)
            && !room.is_closed()
        {
            return Ok(room.clone());
        }
        state.rooms.retain(|_, room| !room.is_closed());
        if state.rooms.len() >= limit {
            return Err(format!("the limit of {limit} open rooms is reached; try again later"));
        }
        let room = open()?;
        state.rooms.insert(name.to_owned(), room.clone());
        Ok(room)
    }

    /// Whether the room of that name is open.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.open(name).is_some()
    }

    /// Returns the room of that name, if it is open.
    pub(crate) fn open(&self, name: &str) -> Option<mpsc::Sender<Command>> {
        self.lock().rooms.get(name).filter(|room| !room.is_closed()).cloned()
    }

    /// Returns the open rooms.
    pub(crate) fn rooms(&self) -> Vec<(String, mpsc::Sender<Command>)> {
        let state = self.lock();
        let open = state.rooms.iter().filter(|(_, room)| !room.is_closed());
        open.map(|(name, room)| (name.clone(), room.clone())).collect()
    }

    /// Returns the rooms that a person is in.
    pub(crate) fn rooms_of(&self, person: &str) -> Vec<(String, mpsc::Sender<Command>)> {
        let state = self.lock();
        let names = state.rooms_by_person.get(person).into_iter().flatten();
        names.filter_map(|name| Some((name.clone(), state.rooms.get(name)?.clone()))).collect()
    }

    /// Records that a person is in a room.
    pub(crate) fn enter_room(&self, person: &str, room: &str) {
        let mut state = self.lock();
        let names = state.rooms_by_person.entry(person.to_owned()).or_default();
        if !names.iter().any(|other| other == room) {
            names.push(room.to_owned());
        }
    }

    /// Records that a person has left a room.
    pub(crate) fn leave_room(&self, person: &str, room: &str) {
        let mut state = self.lock();
        let Some(names) = state.rooms_by_person.get_mut(person) else { return };
        names.retain(|other| other != room);
        if names.is_empty() {
            state.rooms_by_person.remove(person);
        }
    }

    /// Counts one more connection of a guest under a name. Returns whether it is the first one.
    ///
    /// # Errors
    /// Another guest is online under that name, or under one that looks like it.
    pub(crate) fn connect(&self, person: &str, guest: &Arc<str>) -> Result<bool, String> {
        let mut state = self.lock();
        let holder = state.holders.entry(skeleton(person)).or_insert_with(|| Holder {
            name: person.to_owned(),
            guest: Arc::clone(guest),
            connections: 0,
        });
        if holder.guest != *guest {
            return Err(format!("the name {person} is taken; choose another one"));
        }
        holder.connections += 1;
        Ok(holder.connections == 1)
    }

    /// Counts one connection less under a name. Returns whether it was the last one.
    pub(crate) fn disconnect(&self, person: &str) -> bool {
        let mut state = self.lock();
        let shape = skeleton(person);
        let Some(holder) = state.holders.get_mut(&shape) else { return false };
        holder.connections = holder.connections.saturating_sub(1);
        let last = holder.connections == 0;
        if last {
            state.holders.remove(&shape);
        }
        last
    }

    /// Returns the id of the guest who is online under exactly that name.
    pub(crate) fn holder(&self, person: &str) -> Option<Arc<str>> {
        let state = self.lock();
        let holder = state.holders.get(&skeleton(person)).filter(|holder| holder.name == person)?;
        Some(Arc::clone(&holder.guest))
    }

    /// Whether anybody is online under a name, or under one that looks like it.
    pub(crate) fn is_held(&self, person: &str) -> bool {
        self.lock().holders.contains_key(&skeleton(person))
    }

    /// Whether a guest is online under any name.
    pub(crate) fn is_online(&self, guest: &str) -> bool {
        self.lock().holders.values().any(|holder| &*holder.guest == guest)
    }

    /// Number of people online.
    pub(crate) fn people(&self) -> usize {
        self.lock().holders.len()
    }

    fn lock(&self) -> MutexGuard<'_, DirectoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
