//! Removing many messages at once.

use std::sync::Arc;

use palabre_model::Millis;
use palabre_store::{Direction, Result as StoreResult};

use super::State;
use super::commits::{Change, Requester};
use super::nonces::Nonce;
use super::rows::Rows;
use crate::history::{MESSAGES, MessageRow, NONCE_LIFE, NONCES};

/// How many messages a purge looks at, back from the last one that is not in memory.
const SCANNED_MAX: usize = 50_000;
/// How many of the removed messages are told to scripts, each as an event of its own: thousands of them would keep
/// every script busy that has the hook. The newest are told; everybody in the room hears of all.
const EVENTS_MAX: usize = 100;

/// Which messages go.
pub(super) struct PurgeFilter {
    pub(super) count: usize,
    /// Only those of one person, by lower-case username.
    pub(super) user: Option<String>,
    /// Only those that are not older.
    pub(super) since: Option<Millis>,
    /// What it is known by when it is done, so that it is not done again.
    pub(super) once: Option<Nonce>,
}

impl PurgeFilter {
    fn takes(&self, row: &MessageRow) -> bool {
        !self.is_before(row) && self.user.as_ref().is_none_or(|user| row.username.to_lowercase() == *user)
    }

    fn is_before(&self, row: &MessageRow) -> bool {
        self.since.is_some_and(|since| row.time < since)
    }
}

impl State {
    /// Removes the last messages that are wanted, all in one commit.
    pub(super) async fn purge(&mut self, filter: PurgeFilter, requester: Requester) {
        let recent = self.recent.iter().rev().filter(|(_, row)| filter.takes(row));
        let mut found: Vec<_> = recent.take(filter.count).cloned().collect();
        if found.len() < filter.count && self.recent_from > 0 {
            let PurgeFilter { count, ref user, since, .. } = filter;
            let left = PurgeFilter { count: count - found.len(), user: user.clone(), since, once: None };
            match self.older(left).await {
                Ok(older) => found.extend(older),
                Err(problem) => return requester.reply(Err(problem)),
            }
        }
        if found.is_empty() {
            return requester.reply(Ok(None));
        }
        // Oldest first, as they were said.
        let mut events: Vec<_> = found.iter().take(EVENTS_MAX).rev().map(|(_, row)| self.removal(row)).collect();
        let mut rows = Rows::default();
        let mut ids = Vec::with_capacity(found.len());
        for (position, row) in found.iter().rev() {
            self.remove(&mut rows, *position, row);
            ids.push(row.id.clone());
        }
        if let Some((bot, key)) = filter.once {
            let (key, end) = ((self.room.name.clone(), bot, key), self.cx.context.clock.now() + NONCE_LIFE);
            NONCES.put_until(&mut rows.batch, &key, &String::new(), Some(end));
        }
        // The rows go with the first of the events; the others follow it.
        let others = events.split_off(1);
        self.hand_over(events.pop(), rows, Change::Purged { ids }, requester);
        others.into_iter().for_each(|event| self.emit(event));
    }

    /// Those that are no longer in memory, newest first.
    async fn older(&mut self, filter: PurgeFilter) -> Result<Vec<(u64, Arc<MessageRow>)>, String> {
        let (store, name) = (self.cx.store.clone(), self.room.name.clone());
        let (before, going) = (self.recent_from, self.in_flight.removed());
        let read = move || -> StoreResult<Vec<_>> {
            let snapshot = store.snapshot(0)?;
            let from = (name.clone(), before);
            let mut found = Vec::new();
            let rows = MESSAGES.scan_after(&snapshot, &name, &from, Direction::Backward)?;
            for row in rows.take(SCANNED_MAX) {
                let ((_, position), row) = row?;
                if filter.is_before(&row) || found.len() == filter.count {
                    break;
                }
                if filter.takes(&row) && !going.contains(&position) {
                    found.push((position, Arc::new(row)));
                }
            }
            Ok(found)
        };
        let read = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
        read.map_err(|error| error.to_string())
    }
}
