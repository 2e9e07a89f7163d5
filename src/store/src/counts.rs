//! The number of bytes that each script stores.
//!
//! The sums are updated in the transaction that writes, removes or sweeps the rows, so that they
//! always match the rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};

use crate::error::{Error, Result};
use crate::file::DatabaseFile;
use crate::row::Row;
use crate::snapshot::definition;
use crate::table::{decode_value, encode_value};
use palabre_types::Key;
use palabre_types::TableId;

/// The table whose rows are counted.
pub(crate) const COUNTED: TableId = TableId::ScriptValues;
/// The table of the sums, by owner: the first part of a counted row's key.
pub(crate) const SUMS: TableId = TableId::ScriptUsage;
/// The key of the fact that the file has sums.
pub(crate) const COUNTED_KEY: &[u8] = b"counted";

/// Changes of the sums by one transaction.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    by_owner: HashMap<Vec<u8>, i64>,
}

impl Changes {
    /// Records that a counted row is replaced. Both versions are encoded.
    pub(crate) fn record(&mut self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) {
        let Some(owner) = owner(key) else { return };
        let size = |row: Option<&[u8]>| row.map_or(0, |row| size(key, owner, row));
        let change = signed(size(new)) - signed(size(old));
        match self.by_owner.get_mut(owner) {
            Some(sum) => *sum += change,
            None => drop(self.by_owner.insert(owner.to_vec(), change)),
        }
    }

    /// Writes the sums that have changed, and returns them.
    pub(crate) fn write(self, transaction: &WriteTransaction) -> std::result::Result<Sums, redb::Error> {
        let mut sums = Sums::new();
        if self.by_owner.is_empty() {
            return Ok(sums);
        }
        let mut open = transaction.open_table(definition(SUMS))?;
        for (owner, change) in self.by_owner {
            let before = open.get(owner.as_slice())?.and_then(|row| sum_of(row.value())).unwrap_or(0);
            let after = u64::try_from(signed(before) + change).unwrap_or(0);
            put(&mut open, &owner, after)?;
            sums.push((owner, after));
        }
        Ok(sums)
    }
}

/// Sums by owner.
pub(crate) type Sums = Vec<(Vec<u8>, u64)>;

type OpenTable<'t> = redb::Table<'t, crate::snapshot::Bytes, crate::snapshot::Bytes>;

fn put(open: &mut OpenTable<'_>, owner: &[u8], sum: u64) -> std::result::Result<(), redb::Error> {
    if sum == 0 {
        open.remove(owner)?;
    } else {
        open.insert(owner, Row::encode(&encode_value(&sum), None).as_slice())?;
    }
    Ok(())
}

/// The sums that are being watched, updated whenever a transaction is durable.
#[derive(Debug, Default)]
pub(crate) struct Watched(Mutex<HashMap<Vec<u8>, Arc<AtomicU64>>>);

impl Watched {
    pub(crate) fn publish(&self, sums: Sums) {
        if sums.is_empty() {
            return;
        }
        let watched = self.lock();
        for (owner, sum) in sums {
            if let Some(shown) = watched.get(&owner) {
                shown.store(sum, Release);
            }
        }
    }

    /// Returns the sum of an owner. `read` supplies it if nobody watches it yet.
    pub(crate) fn of(&self, owner: &str, read: impl FnOnce(&[u8]) -> Result<u64>) -> Result<Arc<AtomicU64>> {
        let owner = owner.to_owned().to_bytes();
        let mut watched = self.lock();
        if let Some(shown) = watched.get(&owner) {
            return Ok(Arc::clone(shown));
        }
        // A sum that becomes durable meanwhile is published once this lock is released.
        let shown = Arc::new(AtomicU64::new(read(&owner)?));
        watched.insert(owner, Arc::clone(&shown));
        Ok(shown)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Arc<AtomicU64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts the rows of a file that has no sums yet.
pub(crate) fn ensure(file: &DatabaseFile) -> Result<()> {
    if is_counted(file)? { Ok(()) } else { recount(file) }
}

/// Counts all rows again.
pub(crate) fn recount(file: &DatabaseFile) -> Result<()> {
    let database = file.database()?;
    let count = || -> std::result::Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        transaction.delete_table(definition(SUMS))?;
        {
            let mut sums: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
            let counted = transaction.open_table(definition(COUNTED))?;
            for row in counted.range::<&[u8]>(..)? {
                let (key, row) = row?;
                add(&mut sums, key.value(), row.value());
            }
            let mut open = transaction.open_table(definition(SUMS))?;
            for (owner, sum) in &sums {
                put(&mut open, owner, *sum)?;
            }
            let mut meta = transaction.open_table(definition(TableId::Meta))?;
            meta.insert(COUNTED_KEY, Row::encode(&[], None).as_slice())?;
        }
        Ok(transaction.commit()?)
    };
    count().map_err(|error| Error::redb("count the rows of", &file.path, error))
}

fn is_counted(file: &DatabaseFile) -> Result<bool> {
    let failed = |error: redb::Error| Error::redb("read from", &file.path, error);
    let transaction = file.database()?.begin_read().map_err(|error| failed(error.into()))?;
    match transaction.open_table(definition(TableId::Meta)) {
        Ok(meta) => Ok(meta.get(COUNTED_KEY).map_err(|error| failed(error.into()))?.is_some()),
        Err(redb::TableError::TableDoesNotExist(_)) => Ok(false),
        Err(error) => Err(failed(error.into())),
    }
}

/// Adds a counted row to the sums by owner.
pub(crate) fn add(sums: &mut BTreeMap<Vec<u8>, u64>, key: &[u8], row: &[u8]) {
    if let Some(owner) = owner(key) {
        *sums.entry(owner.to_vec()).or_default() += size(key, owner, row);
    }
}

/// Decodes the sum in a row of [`SUMS`].
pub(crate) fn sum_of(row: &[u8]) -> Option<u64> {
    decode_value(Row::split(row)?.0).ok()
}

/// Returns the size that counts for a row: its value and its key without the owner.
fn size(key: &[u8], owner: &[u8], row: &[u8]) -> u64 {
    let value = Row::split(row).map_or(0, |(value, _)| value.len());
    (key.len() - owner.len() + value) as u64
}

/// Returns the first part of a key, a string with its terminator; `None` if there is none.
fn owner(key: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        at += key.get(at..)?.iter().position(|byte| *byte == 0)?;
        match *key.get(at + 1)? {
            0 => return key.get(..at + 2),
            _ => at += 2,
        }
    }
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
