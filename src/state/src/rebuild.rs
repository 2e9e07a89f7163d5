//! Rebuilds the tables from the journal, and compares them with the store.

use std::cmp::Ordering;

use palabre_store::{Direction, Result, Row, Snapshot, Store};
use palabre_types::{Key, TableId};

use crate::apply::{Applied, Header, State, apply};
use crate::tables::{LAST_BATCH, LAST_BATCH_KEY, journal};

/// A row that differs between the store and what the journal gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// The table.
    pub table: TableId,
    /// The encoded key.
    pub key: Vec<u8>,
    /// The row in the store.
    pub stored: Option<Row>,
    /// The row that the journal gives.
    pub rebuilt: Option<Row>,
}

/// Applies the whole journal of a store to an empty one, and returns the rows that differ.
///
/// Only tables whose rows are journalled count.
///
/// The journal has to reach back to the first batch. The snapshot has to include expired rows.
///
/// # Errors
/// If the store cannot be read, or memory not written.
pub fn rebuild(snapshot: &Snapshot) -> Result<Vec<RowDifference>> {
    let store = Store::in_memory()?;
    let mut state = State::default();
    for row in journal(snapshot)? {
        let (number, batch) = row?;
        let mut out = Applied::default();
        for entry in &batch.entries {
            apply(&mut state, Header { number, at: batch.at }, &batch.scripts, entry, &mut out);
        }
        let mut rows = out.into_rows();
        LAST_BATCH.put(&mut rows, &LAST_BATCH_KEY.to_owned(), &number);
        store.commit(rows).wait()?;
    }
    let rebuilt = store.snapshot(0)?;
    let mut differences = Vec::new();
    for table in TableId::ALL.iter().copied().filter(|table| table.is_journalled()) {
        compare(table, snapshot, &rebuilt, &mut differences)?;
    }
    Ok(differences)
}

fn compare(table: TableId, stored: &Snapshot, rebuilt: &Snapshot, differences: &mut Vec<RowDifference>) -> Result<()> {
    // An expiry follows from its row, which the journal may not describe.
    let is_described = |row: &Result<(Vec<u8>, Row)>| {
        table != TableId::Expiry || row.as_ref().is_ok_and(|(key, _)| of_expiry(key).is_none_or(TableId::is_journalled))
    };
    let mut stored = stored.scan(table, &[], None, Direction::Forward)?.filter(is_described).peekable();
    let mut rebuilt = rebuilt.scan(table, &[], None, Direction::Forward)?.filter(is_described).peekable();
    loop {
        // Of the two next rows, those with the lower key, which may be both.
        let order = match (stored.peek(), rebuilt.peek()) {
            (None, None) => return Ok(()),
            (Some(Ok((left, _))), Some(Ok((right, _)))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            // An error ends the comparison below.
            (Some(_), Some(_)) => Ordering::Equal,
        };
        let left = if order.is_le() { stored.next().transpose()? } else { None };
        let right = if order.is_ge() { rebuilt.next().transpose()? } else { None };
        if left == right {
            continue;
        }
        let key = left.as_ref().or(right.as_ref()).map(|(key, _)| key.clone()).unwrap_or_default();
        let (stored, rebuilt) = (left.map(|(_, row)| row), right.map(|(_, row)| row));
        differences.push(RowDifference { table, key, stored, rebuilt });
    }
}

/// Returns the table of an entry of the expiry index, whose key is the expiry, the table and the key.
fn of_expiry(mut key: &[u8]) -> Option<TableId> {
    u64::decode(&mut key)?;
    TableId::from_u8(u8::decode(&mut key)?)
}
