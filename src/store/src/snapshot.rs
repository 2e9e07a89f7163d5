//! Snapshots, which all reads go through.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::{ReadableDatabase, TableDefinition};

use crate::damage::Damage;
use crate::error::readable;
use crate::error::{Error, Result};
use crate::file::DatabaseFile;
use crate::panics;
use crate::row::Row;
use palabre_types::Millis;
use palabre_types::TableId;

pub(crate) type Bytes = &'static [u8];
/// Returns redb's definition of a table. All tables have keys and values of bytes.
pub(crate) fn definition(table: TableId) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(table.name())
}

/// The direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In ascending order of keys.
    Forward,
    /// In descending order of keys.
    Backward,
}

/// The store as it was at one moment.
///
/// A snapshot never waits for writers and does not see later commits. Rows that had expired by its
/// time are invisible, even before they are swept. Reads fail once the store is closed, or has been
/// reopened after the disk failed.
pub struct Snapshot {
    transaction: redb::ReadTransaction,
    path: Arc<Path>,
    damage: Arc<Damage>,
    now: Millis,
}

impl Snapshot {
    pub(crate) fn new(file: &DatabaseFile, now: Millis) -> Result<Self> {
        let transaction = file.database()?.begin_read().map_err(|error| Error::redb("read from", &file.path, error))?;
        Ok(Self { transaction, path: Arc::clone(&file.path), damage: Arc::clone(&file.damage), now })
    }

    /// Returns the row of `key`, unless it has expired.
    pub fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Row>> {
        self.guarded(|| {
            let Some(open) = self.open(table)? else { return Ok(None) };
            let Some(found) = open.get(key).map_err(|error| self.failed(error))? else { return Ok(None) };
            self.live(table, key, found.value())
        })
    }

    /// Returns the rows whose key starts with `prefix`, beginning after `after`, in `direction`.
    pub fn scan(
        &self,
        table: TableId,
        prefix: &[u8],
        after: Option<&[u8]>,
        direction: Direction,
    ) -> Result<impl Iterator<Item = Result<(Vec<u8>, Row)>> + use<'_>> {
        let end = successor(prefix);
        let (low, high) = match (direction, after) {
            (Direction::Forward, Some(after)) => (Bound::Excluded(after), upper(end.as_deref())),
            (Direction::Backward, Some(after)) => (Bound::Included(prefix), Bound::Excluded(after)),
            (_, None) => (Bound::Included(prefix), upper(end.as_deref())),
        };
        let crossed = match (low, high) {
            (Bound::Excluded(a) | Bound::Included(a), Bound::Excluded(b)) => a >= b,
            _ => false,
        };
        let range = self.guarded(|| match self.open(table)? {
            Some(open) if !crossed => open.range::<&[u8]>((low, high)).map(Some).map_err(|error| self.failed(error)),
            _ => Ok(None),
        })?;
        let mut range = range.into_iter().flat_map(move |range| match direction {
            Direction::Forward => either(Some(range), None),
            Direction::Backward => either(None, Some(range.rev())),
        });
        let mut is_over = false;
        Ok(std::iter::from_fn(move || {
            let mut next = || {
                loop {
                    let found = match range.next() {
                        None => return Ok(None),
                        Some(Ok((key, value))) => self
                            .live(table, key.value(), value.value())
                            .map(|row| row.map(|row| (key.value().to_vec(), row))),
                        Some(Err(error)) => Err(self.failed(error)),
                    };
                    if let Some(row) = found? {
                        return Ok(Some(row));
                    }
                }
            };
            if is_over {
                return None;
            }
            let next = self.guarded(&mut next).transpose();
            // No row after a damaged page can be read.
            is_over = matches!(next, None | Some(Err(Error::Damaged { .. })));
            next
        }))
    }

    /// Returns the number of rows of `table`, including expired ones that are not swept yet.
    pub fn len(&self, table: TableId) -> Result<u64> {
        use redb::ReadableTableMetadata;
        self.guarded(|| match self.open(table)? {
            Some(open) => open.len().map_err(|error| self.failed(error)),
            None => Ok(0),
        })
    }

    pub(crate) fn open(&self, table: TableId) -> Result<Option<redb::ReadOnlyTable<Bytes, Bytes>>> {
        match self.transaction.open_table(definition(table)) {
            Ok(open) => Ok(Some(open)),
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn live(&self, table: TableId, key: &[u8], bytes: &[u8]) -> Result<Option<Row>> {
        let (value, expires) = Row::split(bytes).ok_or_else(|| Error::Row {
            table,
            key: readable(key),
            cause: "it has no valid row header".to_owned(),
        })?;
        let over = expires.is_some_and(|at| at <= self.now);
        Ok((!over).then(|| Row { value: value.to_vec(), expires }))
    }

    /// Runs a read, and turns a panic of redb's at a page into an error.
    pub(crate) fn guarded<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        let read = panics::catch(read).unwrap_or_else(|panic| Err(Error::panicked(&self.path, panic.as_ref())));
        self.recorded(read)
    }

    /// Records the damage if a read failed because of it.
    pub(crate) fn recorded<T>(&self, read: Result<T>) -> Result<T> {
        read.inspect_err(|error| self.damage.record(error))
    }

    pub(crate) fn failed(&self, error: impl Into<redb::Error>) -> Error {
        Error::redb("read from", &self.path, error)
    }
}

fn either<T>(
    forward: Option<impl Iterator<Item = T>>,
    backward: Option<impl Iterator<Item = T>>,
) -> impl Iterator<Item = T> {
    forward.into_iter().flatten().chain(backward.into_iter().flatten())
}

fn upper(end: Option<&[u8]>) -> Bound<&[u8]> {
    end.map_or(Bound::Unbounded, Bound::Excluded)
}

/// Returns the first key after all that start with `prefix`; `None` if there is none.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xFF {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}
