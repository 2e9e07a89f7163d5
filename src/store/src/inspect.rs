//! Looking through a whole store: what `palabre check` prints and what a backup copies.

use std::path::Path;

use crate::error::readable;
use crate::file::Source;
use crate::row::Row;
use crate::snapshot::definition;
use crate::{Error, Result, Snapshot, TableId};

/// What a scan of the whole store found.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// Rows of each table that has any.
    pub rows: Vec<(TableId, u64)>,
    /// What is wrong; empty when all is well.
    pub findings: Vec<Finding>,
}

/// One thing wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: TableId,
    /// The key, readable.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "table {}, row {}: {}", self.table.name(), self.key, self.what)
    }
}

pub(crate) fn inspect(snapshot: &Snapshot) -> Result<Inspection> {
    let mut inspection = Inspection::default();
    for &table in TableId::ALL {
        let mut count = 0;
        each_row(snapshot, table, |key, bytes| {
            count += 1;
            if Row::split(bytes).is_none() {
                let what = "it does not begin like a row".to_owned();
                inspection.findings.push(Finding { table, key: readable(key), what });
            }
            Ok(())
        })?;
        if count > 0 {
            inspection.rows.push((table, count));
        }
    }
    Ok(inspection)
}

pub(crate) fn copy(snapshot: &Snapshot, target: &Path) -> Result<()> {
    if target.exists() {
        let cause = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "there is a file already");
        return Err(Error::io("write the backup", target, cause));
    }
    let file = Source::Path(target.to_owned()).open()?;
    let failed = |error: redb::Error| Error::redb("write the backup", target, error);
    let transaction = file.database.begin_write().map_err(|error| failed(error.into()))?;
    for &table in TableId::ALL {
        let mut open = transaction.open_table(definition(table)).map_err(|error| failed(error.into()))?;
        if table.is_of_installation() {
            continue;
        }
        each_row(snapshot, table, |key, bytes| {
            open.insert(key, bytes).map(drop).map_err(|error| failed(error.into()))
        })?;
    }
    transaction.commit().map_err(|error| failed(error.into()))
}

fn each_row(snapshot: &Snapshot, table: TableId, mut visit: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    let failed = |error: redb::StorageError| Error::redb("read from", Path::new(table.name()), error);
    let Some(open) = snapshot.open(table)? else { return Ok(()) };
    for row in open.range::<&[u8]>(..).map_err(failed)? {
        let (key, value) = row.map_err(failed)?;
        visit(key.value(), value.value())?;
    }
    Ok(())
}
