//! The table of the change log.

use palabre_store::{Direction, Result, Snapshot, Table};
use palabre_types::{Millis, TableId};
use serde::{Deserialize, Serialize};

/// Changes by number.
pub(crate) const CHANGES: Table<u64, ChangeRow> = Table::new(TableId::RoomChanges);

/// A change in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChangeRow {
    pub(crate) room: String,
    pub(crate) time: Millis,
    pub(crate) change: Recorded,
}

/// A change. Messages are looked up when they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Recorded {
    /// A message was posted.
    Posted { position: u64 },
    /// A message was edited.
    Edited { position: u64 },
    /// Messages were deleted.
    Deleted { ids: Vec<String> },
    /// A reaction was added or removed.
    Reaction { id: String, emoji: String, username: String, added: bool },
    /// A message was pinned or unpinned.
    Pinned { id: String, pinned: bool },
    /// Topic, slow mode or lock were changed.
    Arranged,
    /// A person has read up to a message of a private conversation.
    Read { id: String, username: String },
    /// Recording began. Changes before are not recorded.
    Began,
    /// Recording ended. Changes after are not recorded.
    Ended,
}

/// Returns the number of the newest change, and whether changes are recorded since.
pub(crate) fn newest(snapshot: &Snapshot) -> Result<Option<(u64, bool)>> {
    let mut rows = CHANGES.scan(snapshot, &Vec::new(), Direction::Backward)?;
    let newest = rows.next().transpose()?;
    Ok(newest.map(|(number, row)| (number, row.change != Recorded::Ended)))
}
