//! Pinned messages.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_model::{ActionError, EventKind, MessageRef, Outcome};
use palabre_store::Result as StoreResult;

use super::acting::{gone, id_of};
use super::rows::Rows;
use super::settled::{Asker, Change};
use super::{Answer, State};
use crate::history::{MESSAGES, MessageRow};

/// How many a room has at most.
const PINS: usize = 50;

impl State {
    /// A bot pins a message, or takes the pin away.
    pub(super) async fn pin(&mut self, message: &MessageRef, pinned: bool, answer: Answer) {
        let id = id_of(message);
        let Some((position, row)) = self.find(&id).await else {
            if pinned {
                return gone(answer, message);
            }
            // A message that is gone is pinned no longer, which is what was wanted.
            let _asked = answer.send(Ok(Outcome::default()));
            return;
        };
        self.pinned.retain(|other| *other != position);
        if pinned {
            if self.pinned.len() >= PINS {
                let problem = format!("a room has at most {PINS} pinned messages");
                let _asked = answer.send(Err(ActionError::Rejected(problem)));
                return;
            }
            self.pinned.push(position);
        }
        // A repetition is written again, since the first time may have failed; it is no event.
        let event = (row.pinned != pinned).then(|| {
            let by = self.bot_user();
            let kind = EventKind::Pin { message: id.as_str().into(), pinned, by: Some(by.clone()) };
            self.event_of(by, kind)
        });
        let row = Arc::new(MessageRow { pinned, ..MessageRow::clone(&row) });
        let mut rows = Rows::default();
        self.replace(&mut rows, position, &row);
        self.hand_over(event, rows, Change::Pinned { id, pinned }, Asker::Bot(answer));
    }

    /// The pinned messages, in the order in which they were pinned.
    pub(super) async fn pins(&mut self) -> Vec<Arc<MessageRow>> {
        let held = self.recent.iter().filter(|(position, _)| self.pinned.contains(position));
        let mut rows: HashMap<u64, Arc<MessageRow>> =
            held.map(|(position, row)| (*position, Arc::clone(row))).collect();
        let older: Vec<u64> = self.pinned.iter().copied().filter(|position| !rows.contains_key(position)).collect();
        if !older.is_empty() {
            let (store, name) = (self.around.store.clone(), self.room.name.clone());
            let read = move || -> StoreResult<Vec<_>> {
                let snapshot = store.snapshot(0)?;
                let row = |position: u64| -> StoreResult<_> {
                    Ok((position, MESSAGES.get(&snapshot, &(name.clone(), position))?))
                };
                older.into_iter().map(row).collect()
            };
            match tokio::task::spawn_blocking(read).await {
                Ok(Ok(read)) => rows.extend(read.into_iter().filter_map(|(at, row)| Some((at, Arc::new(row?))))),
                // Who comes in sees those that are in memory.
                Ok(Err(error)) => tracing::warn!(room = %self.room.name, "cannot read pinned messages: {error}"),
                Err(error) => tracing::error!(room = %self.room.name, "cannot read pinned messages: {error}"),
            }
        }
        self.pinned.iter().filter_map(|position| rows.remove(position)).collect()
    }
}
