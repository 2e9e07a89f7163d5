//! Read markers: how far an account has read in each room.

use palabre_store::{Direction, Result as StoreResult, Snapshot, Table};
use palabre_types::{Batch, Millis, TableId};
use serde::{Deserialize, Serialize};

/// Read markers by account and room.
pub(crate) const READS: Table<(String, String), ReadRow> = Table::new(TableId::RoomReads);

/// A read marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadRow {
    /// The id of the last message that was read.
    pub(crate) id: String,
    pub(crate) position: u64,
    /// The creation time of the room: another room of the same name has markers of its own.
    pub(crate) room_created: Millis,
}

/// Deletes the read markers of an account that is being deleted.
pub(crate) fn forget(snapshot: &Snapshot, account: &str, rows: &mut Batch) -> StoreResult<()> {
    for row in READS.scan(snapshot, &account.to_owned(), Direction::Forward)? {
        READS.delete(rows, &row?.0);
    }
    Ok(())
}
