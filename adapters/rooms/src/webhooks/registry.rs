//! All incoming webhooks, in memory: rooms decide without waiting whether a message is from one of theirs.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use palabre_store::{Direction, Result as StoreResult, Store};

use super::rows::{WEBHOOKS, WebhookRow};

/// The beginning of the ids under which webhooks are the authors of messages.
const AUTHOR_PREFIX: &str = "webhook-";

/// The incoming webhooks by id. Memory has what the store has.
#[derive(Debug, Default)]
pub(crate) struct Webhooks(RwLock<HashMap<String, WebhookRow>>);

impl Webhooks {
    /// Reads all of them from the store.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<()> {
        let snapshot = store.snapshot(0)?;
        let rows = WEBHOOKS.scan(&snapshot, &Vec::new(), Direction::Forward)?.collect::<StoreResult<_>>()?;
        *self.write() = rows;
        Ok(())
    }

    /// Returns the webhook with an id.
    pub(crate) fn get(&self, id: &str) -> Option<WebhookRow> {
        self.read().get(id).cloned()
    }

    /// Returns the webhooks of a room with their ids, oldest first.
    pub(crate) fn of_room(&self, room: &str) -> Vec<(String, WebhookRow)> {
        let webhooks = self.read();
        let of_room = webhooks.iter().filter(|(_, row)| row.room == room);
        let mut found: Vec<_> = of_room.map(|(id, row)| (id.clone(), row.clone())).collect();
        found.sort_by(|(one, first), (other, second)| (first.created, one).cmp(&(second.created, other)));
        found
    }

    /// Whether the author of a message is a webhook of a room.
    pub(crate) fn is_of(&self, author: &str, room: &str) -> bool {
        let id = author.strip_prefix(AUTHOR_PREFIX);
        id.is_some_and(|id| self.read().get(id).is_some_and(|row| row.room == room))
    }

    pub(super) fn set(&self, id: &str, row: WebhookRow) {
        self.write().insert(id.to_owned(), row);
    }

    pub(crate) fn remove(&self, id: &str) {
        self.write().remove(id);
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, WebhookRow>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, WebhookRow>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the id under which a webhook is the author of messages. No account or guest has such an id.
pub(crate) fn author_of(id: &str) -> String {
    format!("{AUTHOR_PREFIX}{id}")
}

/// Whether the author of a message is a webhook.
pub(crate) fn is_author(person: &str) -> bool {
    person.starts_with(AUTHOR_PREFIX)
}
