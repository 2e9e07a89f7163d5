//! Deleting many messages at once.

use std::sync::Arc;

use palabre_store::{Direction, Result as StoreResult};
use palabre_types::Millis;
use tokio::sync::oneshot;

use super::rows::Rows;
use super::state::State;
use super::state::commit::{Change, Requester};
use super::state::nonces::Nonce;
use crate::history::{MESSAGES, MessageRow, NONCE_LIFE, NONCES};

/// Maximum number of stored messages that a purge scans, from the last one that is not in memory.
const SCANNED_MAX: usize = 50_000;
/// Maximum number of messages of a deleted account that one commit deletes.
const ERASED_MAX: usize = 1_000;
/// Maximum number of deleted messages reported to scripts, each as an event; the newest ones.
///
/// Thousands of events would keep every script with the hook busy. The clients in the room are
/// notified of all deletions.
const EVENTS_MAX: usize = 100;

/// Selects the messages to delete.
pub(super) struct PurgeFilter {
    pub(super) count: usize,
    /// Only messages of this person, by lower-case username.
    pub(super) user: Option<String>,
    /// Only messages from this time on.
    pub(super) since: Option<Millis>,
    /// Only messages of this account, pinned ones too.
    pub(super) author: Option<String>,
    /// The nonce that records the purge as done, so that it is not repeated.
    pub(super) once: Option<Nonce>,
}

impl PurgeFilter {
    fn takes(&self, row: &MessageRow) -> bool {
        if let Some(author) = &self.author {
            return row.author.as_ref() == Some(author);
        }
        !row.pinned
            && !self.is_before(row)
            && self.user.as_ref().is_none_or(|user| row.username.to_lowercase() == *user)
    }

    fn is_before(&self, row: &MessageRow) -> bool {
        self.since.is_some_and(|since| row.time < since)
    }
}

impl State {
    /// Deletes the last messages that match the filter, in one commit.
    pub(super) async fn purge(&mut self, filter: PurgeFilter, requester: Requester) {
        let recent = self.recent.iter().rev().filter(|(_, row)| filter.takes(row));
        let mut found: Vec<_> = recent.take(filter.count).cloned().collect();
        if found.len() < filter.count && self.recent_from > 0 {
            let PurgeFilter { count, ref user, since, ref author, .. } = filter;
            let left = count - found.len();
            let left = PurgeFilter { count: left, user: user.clone(), since, author: author.clone(), once: None };
            match self.older(left).await {
                Ok(older) => found.extend(older),
                Err(problem) => return requester.reply(Err(problem)),
            }
        }
        if found.is_empty() {
            return requester.reply(Ok(None));
        }
        // Oldest first, in the order of the room.
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
        // The rows are committed with the first event; the others follow it.
        let others = events.split_off(1);
        self.hand_over(events.pop(), rows, Change::Purged { ids }, requester);
        others.into_iter().for_each(|event| self.emit(event));
    }

    /// Deletes messages of an account, as many as one commit takes. Answers with their number.
    pub(super) async fn erase_author(&mut self, author: String, answer: oneshot::Sender<Result<usize, String>>) {
        let filter = PurgeFilter { count: ERASED_MAX, user: None, since: None, author: Some(author), once: None };
        self.purge(filter, Requester::Counting(answer)).await;
    }

    /// Returns matching messages that are no longer in memory, newest first.
    async fn older(&mut self, filter: PurgeFilter) -> Result<Vec<(u64, Arc<MessageRow>)>, String> {
        let (store, name) = (self.cx.store.clone(), self.room.name.clone());
        let (before, going) = (self.recent_from, self.in_flight.removed());
        let read = move || -> StoreResult<Vec<_>> {
            let snapshot = store.snapshot(0)?;
            let from = (name.clone(), before);
            let mut found = Vec::new();
            let rows = MESSAGES.scan_after(&snapshot, &name, &from, Direction::Backward)?;
            let scanned_max = if filter.author.is_some() { usize::MAX } else { SCANNED_MAX };
            for row in rows.take(scanned_max) {
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
