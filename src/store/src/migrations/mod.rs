//! The schema version of the file, and migrations from older versions.
//!
//! A migration is a file of its own in this folder, `vN_what_changed.rs`, with one function;
//! [`MIGRATIONS`] lists them in order. Before the first one runs, a copy of the store is saved next
//! to it.

use std::path::Path;

use redb::{ReadableDatabase, WriteTransaction};

use crate::counts;
use crate::error::{Error, Result};
use crate::file::{DatabaseFile, SCAN_CACHE_BYTES, Source};
use crate::row::Row;
use crate::snapshot::definition;
use palabre_types::TableId;

/// The name of a migration, and its function. The same transaction also writes the new version.
type Migration = (&'static str, fn(&WriteTransaction) -> std::result::Result<(), redb::Error>);

/// `MIGRATIONS[n]` migrates version `n + 1` to `n + 2`. Empty while version 1 is the only one.
const MIGRATIONS: &[Migration] = &[];

const VERSION_KEY: &[u8] = b"schema";

/// Migrates the file. Returns whether it needed a repair because it had not been closed properly.
pub(crate) fn bring_up_to_date(path: &Path) -> Result<bool> {
    let (file, was_repaired) = migrate(path, MIGRATIONS)?;
    counts::ensure(&file)?;
    Ok(was_repaired)
}

/// Writes the current version into a new file.
pub(crate) fn stamp_if_new(file: &DatabaseFile) -> Result<()> {
    if version(file)?.is_none() {
        step(file, current(MIGRATIONS), |_| Ok(()))?;
    }
    counts::ensure(file)
}

/// Refuses a file without a schema version, or with one that is too new.
pub(crate) fn check(file: &DatabaseFile) -> Result<()> {
    let path = || file.path.to_path_buf();
    let supported = current(MIGRATIONS);
    match version(file)? {
        None => {
            let cause = "it has no schema version, so it is not a Palabre store".to_owned();
            Err(Error::Damaged { path: path(), cause })
        }
        Some(found) if found > supported => Err(Error::Newer { path: path(), found, supported }),
        Some(_) => Ok(()),
    }
}

fn migrate(path: &Path, migrations: &[Migration]) -> Result<(DatabaseFile, bool)> {
    let source = Source::file(path);
    // A repair reads the whole file; the daemon would keep the memory of a larger cache for ever.
    let file = source.open_with(SCAN_CACHE_BYTES)?;
    let (supported, was_repaired) = (current(migrations), file.was_repaired);
    let Some(found) = version(&file)? else {
        step(&file, supported, |_| Ok(()))?;
        return Ok((file, was_repaired));
    };
    if found > supported {
        return Err(Error::Newer { path: path.to_owned(), found, supported });
    }
    if found == supported {
        return Ok((file, was_repaired));
    }
    // Closed before it is copied: the copy of a file in use would be inconsistent.
    drop(file);
    let backup = path.with_extension(format!("v{found}.backup"));
    std::fs::copy(path, &backup).map_err(|error| Error::io("write the pre-upgrade backup", &backup, error))?;
    let file = source.open_with(SCAN_CACHE_BYTES)?;
    for (version, (name, change)) in (found + 1..).zip(&migrations[found as usize - 1..]) {
        tracing::info!(version, name, backup = %backup.display(), "upgrading the store");
        step(&file, version, change)?;
    }
    Ok((file, was_repaired))
}

fn current(migrations: &[Migration]) -> u32 {
    migrations.len() as u32 + 1
}

fn version(file: &DatabaseFile) -> Result<Option<u32>> {
    let failed = |error: redb::Error| Error::redb("read the version of", &file.path, error);
    let transaction = file.database()?.begin_read().map_err(|error| failed(error.into()))?;
    let meta = match transaction.open_table(definition(TableId::Meta)) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let Some(found) = meta.get(VERSION_KEY).map_err(|error| failed(error.into()))? else { return Ok(None) };
    let version = Row::split(found.value()).and_then(|(value, _)| value.try_into().ok()).map(u32::from_be_bytes);
    match version {
        Some(version) if version > 0 => Ok(Some(version)),
        _ => Err(Error::Damaged { path: file.path.to_path_buf(), cause: "its schema version is invalid".to_owned() }),
    }
}

fn step(
    file: &DatabaseFile,
    version: u32,
    change: impl FnOnce(&WriteTransaction) -> std::result::Result<(), redb::Error>,
) -> Result<()> {
    let database = file.database()?;
    let write = || -> std::result::Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        change(&transaction)?;
        {
            let mut meta = transaction.open_table(definition(TableId::Meta))?;
            meta.insert(VERSION_KEY, Row::encode(&version.to_be_bytes(), None).as_slice())?;
        }
        Ok(transaction.commit()?)
    };
    write().map_err(|error| Error::redb("upgrade", &file.path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rename_a_row(transaction: &WriteTransaction) -> std::result::Result<(), redb::Error> {
        let mut rooms = transaction.open_table(definition(TableId::Rooms))?;
        rooms.remove(b"old".as_slice())?;
        rooms.insert(b"new".as_slice(), Row::encode(b"x", None).as_slice())?;
        Ok(())
    }

    fn rows(path: &Path) -> Vec<Vec<u8>> {
        let file = Source::file(path).open().unwrap();
        let snapshot = crate::snapshot::Snapshot::new(&file, 0).unwrap();
        let rows = snapshot.scan(TableId::Rooms, b"", None, crate::snapshot::Direction::Forward).unwrap();
        rows.map(|row| row.unwrap().0).collect()
    }

    #[test]
    fn an_older_file_is_backed_up_and_brought_up_to_date_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("palabre.redb");
        drop(migrate(&path, &[]).unwrap());
        let file = Source::file(&path).open().unwrap();
        step(&file, 1, |transaction| {
            transaction
                .open_table(definition(TableId::Rooms))?
                .insert(b"old".as_slice(), Row::encode(b"x", None).as_slice())?;
            Ok(())
        })
        .unwrap();
        drop(file);

        let migrations: &[Migration] = &[("rename a row", rename_a_row)];
        drop(migrate(&path, migrations).unwrap());
        drop(migrate(&path, migrations).unwrap());

        assert_eq!(rows(&path), [b"new".to_vec()]);
        assert_eq!(rows(&path.with_extension("v1.backup")), [b"old".to_vec()]);
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("palabre.redb");
        // The second opening settles how much space redb keeps for its own records.
        for _ in 0..2 {
            drop(migrate(&path, &[("a", |_| Ok(())), ("b", |_| Ok(()))]).unwrap());
        }
        let before = std::fs::read(&path).unwrap();

        let error = migrate(&path, &[("a", |_| Ok(()))]).map(drop).unwrap_err();

        assert!(matches!(error, Error::Newer { found: 3, supported: 2, .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap().len(), before.len());
    }
}
