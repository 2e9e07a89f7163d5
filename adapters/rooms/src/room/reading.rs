//! Read markers of accounts in this room.

use std::sync::Arc;

use super::command::Origin;
use super::rows::Rows;
use super::state::State;
use super::state::commit::Change;
use crate::accounts::rows::is_account_id;
use crate::read_markers::{READS, ReadRow};

/// Maximum number of markers in memory; others are read from the store.
const MARKERS_MAX: usize = 10_000;

impl State {
    /// Records how far an account has read. The other person of a private conversation is told.
    ///
    /// `is_back` moves the marker back: the person wants to read on from there later.
    pub(super) async fn read_up_to(&mut self, origin: Origin, id: &str, is_back: bool) {
        let Some((author, requester)) = self.person(origin) else { return };
        if !is_account_id(&author.guest) {
            return self.refuse_request(requester, "only people with an account have read markers".to_owned());
        }
        let Some((position, row)) = self.find(id).await else { return self.refuse_unknown(requester, id) };
        let key = (author.guest.to_string(), self.room.name.clone());
        let known = match self.read_markers.get(&author.guest) {
            Some(position) => *position,
            None => match self.stored_marker(key.clone()).await {
                Ok(position) => position,
                Err(error) => return requester.reply(Err(error)),
            },
        };
        if known >= position && !is_back {
            return requester.reply(Ok(Some(row.id.clone())));
        }
        // It is not durable yet, and the next request must not fall behind it.
        if self.read_markers.len() >= MARKERS_MAX {
            self.read_markers.clear();
        }
        self.read_markers.insert(Arc::clone(&author.guest), position);
        let room_created = self.created.unwrap_or_default();
        let mut rows = Rows::default();
        READS.put(&mut rows.batch, &key, &ReadRow { id: row.id.clone(), position, room_created });
        let change = Change::Read { username: author.username, id: row.id.clone() };
        self.hand_over(None, rows, change, requester);
    }

    /// Returns the position up to which an account has read, by its stored marker; 0 if there is none.
    async fn stored_marker(&mut self, key: (String, String)) -> Result<u64, String> {
        let (store, created) = (self.cx.store.clone(), self.created);
        let read = tokio::task::spawn_blocking(move || READS.get(&store.snapshot(0)?, &key)).await;
        let marker = read.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        Ok(marker.filter(|marker| Some(marker.room_created) == created).map_or(0, |marker| marker.position))
    }
}
