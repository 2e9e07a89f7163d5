//! Commits whose changes are recorded for streams of events.

use palabre_platform::Receipt;
use palabre_types::{Batch, Event};

use super::state::State;
use super::state::commit::Change;
use crate::change_log::rows::Recorded;
use crate::conversation::is_conversation;

/// Maximum number of deleted messages in one row of the change log.
const IDS_MAX: usize = 500;

impl State {
    /// Commits rows, with an event if there is one, and the changes that streams show of it.
    pub(super) fn commit_recorded(
        &self,
        event: Option<Event>,
        reason: &'static str,
        mut rows: Batch,
        changes: impl FnOnce() -> Vec<Recorded>,
    ) -> Receipt {
        let place = (self.room.name.as_str(), self.cx.context.clock.now());
        let _order = self.cx.change_log.record(&mut rows, place, changes);
        match event {
            Some(event) => self.commit_event(event, rows),
            None => self.cx.write(reason, rows),
        }
    }
}

/// Returns what is recorded of a change to messages at these positions of a room.
pub(super) fn recorded(room: &str, change: &Change, touched: &[u64]) -> Vec<Recorded> {
    match change {
        Change::Read { id, username } if is_conversation(room) => {
            vec![Recorded::Read { id: id.clone(), username: username.clone() }]
        }
        // In other rooms, nobody is told how far others have read.
        Change::Read { .. } => Vec::new(),
        Change::Edited(_) => touched.iter().map(|position| Recorded::Edited { position: *position }).collect(),
        Change::Deleted { id } => vec![Recorded::Deleted { ids: vec![id.clone()] }],
        Change::Purged { ids } => ids.chunks(IDS_MAX).map(|ids| Recorded::Deleted { ids: ids.to_vec() }).collect(),
        Change::Reaction { id, emoji, username, added } => {
            let (id, emoji, username) = (id.clone(), emoji.clone(), username.clone());
            vec![Recorded::Reaction { id, emoji, username, added: *added }]
        }
        Change::Pinned { id, pinned } => vec![Recorded::Pinned { id: id.clone(), pinned: *pinned }],
        Change::Arranged => vec![Recorded::Arranged],
    }
}
