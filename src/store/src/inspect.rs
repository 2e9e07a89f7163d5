//! Scans of a whole store, for `palabre check` and for backups.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::error::readable;
use crate::error::{Error, Result};
use crate::file::{SCAN_CACHE_BYTES, Source};
use crate::overlay::OverlayDisk;
use crate::row::Row;
use crate::snapshot::Snapshot;
use crate::snapshot::definition;
use crate::{counts, migrations};
use palabre_types::TableId;

/// The result of a scan of the whole store.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// The number of rows of each table that has any.
    pub rows: Vec<(TableId, u64)>,
    /// The problems that were found.
    pub findings: Vec<Finding>,
    /// The sums in the file, and those that were computed from the rows, by owner.
    stored_sums: BTreeMap<Vec<u8>, u64>,
    computed_sums: BTreeMap<Vec<u8>, u64>,
    has_sums: bool,
}

/// A problem in a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table, if known.
    pub table: Option<TableId>,
    /// The key, in readable form.
    pub key: Option<String>,
    /// The problem.
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.table, &self.key) {
            (Some(table), Some(key)) => write!(f, "table {}, row {key}: {}", table.name(), self.what),
            (Some(table), None) => write!(f, "table {}: {}", table.name(), self.what),
            (None, _) => f.write_str(&self.what),
        }
    }
}

/// Reads every page and row of a store's file, without changing the file.
///
/// If it needs a repair, that is done in memory.
///
/// # Errors
/// [`Error::Damaged`] when it is too damaged to be opened, [`Error::Newer`], or an error of the
/// operating system.
pub fn verify(path: &Path) -> Result<Inspection> {
    let size = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?.len();
    if size == 0 {
        return Err(Error::Damaged { path: path.to_owned(), cause: "it is empty".to_owned() });
    }
    let source = Source::Disk(Arc::new(OverlayDisk::over(path)?), path.into());
    let mut file = source.open_with(SCAN_CACHE_BYTES)?;
    migrations::check(&file)?;
    let mut inspection = Inspection::default();
    for &table in TableId::ALL {
        let is_whole = inspection.walk(&Snapshot::new(&file, 0)?, table);
        if !is_whole {
            // The state of redb in memory cannot be trusted after damage.
            drop(file);
            file = source.open_with(SCAN_CACHE_BYTES)?;
        }
    }
    inspection.compare_sums();
    if !file.checksums_hold()? {
        let what = "a page has a wrong checksum: some of the stored data has been overwritten".to_owned();
        inspection.findings.push(Finding { table: None, key: None, what });
    }
    Ok(inspection)
}

/// Reads every row. It does not verify checksums, which needs exclusive use of the file.
pub(crate) fn inspect(snapshot: &Snapshot) -> Inspection {
    let mut inspection = Inspection::default();
    for &table in TableId::ALL {
        inspection.walk(snapshot, table);
    }
    inspection.compare_sums();
    inspection
}

impl Inspection {
    /// Reads all rows of a table. Returns false if they cannot be read to the end.
    fn walk(&mut self, snapshot: &Snapshot, table: TableId) -> bool {
        let (mut count, mut last) = (0, None::<Vec<u8>>);
        let walked = snapshot.guarded(|| {
            each_row(snapshot, table, |key, bytes| {
                count += 1;
                last = Some(key.to_vec());
                self.check_row(table, key, bytes);
                Ok(())
            })
        });
        if count > 0 {
            self.rows.push((table, count));
        }
        let Err(error) = walked else { return true };
        let what = match &last {
            Some(_) => format!("the rows after this one cannot be read: {}", cause(&error)),
            None => format!("it cannot be read: {}", cause(&error)),
        };
        self.findings.push(Finding { table: Some(table), key: last.map(|key| readable(&key)), what });
        false
    }

    fn check_row(&mut self, table: TableId, key: &[u8], row: &[u8]) {
        if Row::split(row).is_none() {
            let what = "it has no valid row header".to_owned();
            self.findings.push(Finding { table: Some(table), key: Some(readable(key)), what });
        }
        self.has_sums |= table == TableId::Meta && key == counts::COUNTED_KEY;
        if table == counts::COUNTED {
            counts::add(&mut self.computed_sums, key, row);
        }
        if table == counts::SUMS {
            self.stored_sums.insert(key.to_vec(), counts::sum_of(row).unwrap_or(0));
        }
    }

    /// Compares the sums, unless there are none yet or rows are missing anyway.
    fn compare_sums(&mut self) {
        if !self.has_sums || !self.findings.is_empty() {
            return;
        }
        let owners: BTreeSet<_> = self.computed_sums.keys().chain(self.stored_sums.keys()).collect();
        for owner in owners {
            let sum = |sums: &BTreeMap<Vec<u8>, u64>| sums.get(owner).copied().unwrap_or(0);
            let (computed, stored) = (sum(&self.computed_sums), sum(&self.stored_sums));
            if computed != stored {
                let what =
                    format!("it says {stored} bytes, but {computed} are stored; `palabre check --repair` corrects it");
                self.findings.push(Finding { table: Some(counts::SUMS), key: Some(readable(owner)), what });
            }
        }
    }
}

/// Returns the cause of an error without the file's name.
fn cause(error: &Error) -> String {
    match error {
        Error::Damaged { cause, .. } => cause.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn copy(snapshot: &Snapshot, target: &Path) -> Result<()> {
    if target.exists() {
        let cause = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the file already exists");
        return Err(Error::io("write the backup", target, cause));
    }
    let file = Source::file(target).open()?;
    let failed = |error: redb::Error| Error::redb("write the backup", target, error);
    let transaction = file.database()?.begin_write().map_err(|error| failed(error.into()))?;
    for &table in TableId::ALL {
        let mut open = transaction.open_table(definition(table)).map_err(|error| failed(error.into()))?;
        if table.is_of_installation() {
            continue;
        }
        snapshot.guarded(|| {
            each_row(snapshot, table, |key, bytes| {
                open.insert(key, bytes).map(drop).map_err(|error| failed(error.into()))
            })
        })?;
    }
    transaction.commit().map_err(|error| failed(error.into()))
}

fn each_row(snapshot: &Snapshot, table: TableId, mut visit: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    let Some(open) = snapshot.open(table)? else { return Ok(()) };
    for row in open.range::<&[u8]>(..).map_err(|error| snapshot.failed(error))? {
        let (key, value) = row.map_err(|error| snapshot.failed(error))?;
        visit(key.value(), value.value())?;
    }
    Ok(())
}
