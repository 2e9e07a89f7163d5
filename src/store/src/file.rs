//! The open file, and reopening it after the disk failed.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use redb::{Builder, Database};

use crate::damage::Damage;
use crate::disk::{Backend, Disk};
use crate::error::{Error, Result};
use crate::panics;
use crate::preallocated::PreallocatedFile;

/// The size of the page cache: enough for pages that are read frequently.
///
/// The system's page cache holds the rest.
const CACHE_BYTES: usize = 24 << 20;
/// The size of the page cache while a file is repaired or scanned.
///
/// Every page is read a few times in order, so that a larger cache would not help.
pub(crate) const SCAN_CACHE_BYTES: usize = 8 << 20;

/// redb's database, and the path that errors name.
pub(crate) struct DatabaseFile {
    /// `None` only while it is being dropped.
    database: Option<Database>,
    pub(crate) path: Arc<Path>,
    /// Whether opening the file repaired it, because it had not been closed properly.
    pub(crate) was_repaired: bool,
    pub(crate) damage: Arc<Damage>,
}

impl DatabaseFile {
    pub(crate) fn database(&self) -> Result<&Database> {
        self.database.as_ref().ok_or(Error::Closed)
    }

    /// Whether the checksum of every page is right. No snapshot may be open.
    pub(crate) fn checksums_hold(&mut self) -> Result<bool> {
        let path = Arc::clone(&self.path);
        let database = self.database.as_mut().ok_or(Error::Closed)?;
        match panics::catch(|| database.check_integrity()) {
            Ok(Ok(is_clean)) => Ok(is_clean),
            Ok(Err(error)) => match Error::redb("check", &path, error) {
                Error::Damaged { .. } => Ok(false),
                other => Err(other),
            },
            Err(_panic) => Ok(false),
        }
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        let database = self.database.take();
        // redb writes while it closes, and panics at damaged pages then too.
        if panics::catch(move || drop(database)).is_err() {
            let cause = "a damaged page kept the store from being closed properly".to_owned();
            tracing::error!(path = %self.path.display(), "{cause}");
            self.damage.record(&Error::Damaged { path: self.path.to_path_buf(), cause });
        }
    }
}

/// The place that a database is opened from.
#[derive(Clone)]
pub(crate) enum Source {
    Path(Arc<Path>),
    /// Another disk, and the path that errors name.
    Disk(Arc<dyn Disk>, Arc<Path>),
}

impl Source {
    pub(crate) fn file(path: &Path) -> Self {
        Self::Path(path.into())
    }

    pub(crate) fn memory(disk: Arc<dyn Disk>) -> Self {
        Self::Disk(disk, Path::new("(memory)").into())
    }

    pub(crate) fn path(&self) -> &Arc<Path> {
        match self {
            Self::Path(path) | Self::Disk(_, path) => path,
        }
    }

    /// Returns the folder of a plain file.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => path.parent(),
            Self::Disk(..) => None,
        }
    }

    pub(crate) fn open(&self) -> Result<DatabaseFile> {
        self.open_with(CACHE_BYTES)
    }

    /// Opens it with a page cache of `cache` bytes.
    pub(crate) fn open_with(&self, cache: usize) -> Result<DatabaseFile> {
        self.open_recording(cache, &Arc::default(), true)
    }

    /// Opens it with the usual page cache.
    ///
    /// Damage that is found is recorded in `damage`; a repair is not logged.
    pub(crate) fn reopen(&self, damage: &Arc<Damage>) -> Result<DatabaseFile> {
        self.open_recording(CACHE_BYTES, damage, false)
    }

    fn open_recording(&self, cache: usize, damage: &Arc<Damage>, warns: bool) -> Result<DatabaseFile> {
        let path = Arc::clone(self.path());
        let was_repaired = Arc::new(AtomicBool::new(false));
        let mut builder = Builder::new();
        builder.set_cache_size(cache);
        builder.set_repair_callback({
            let (path, was_repaired) = (Arc::clone(&path), Arc::clone(&was_repaired));
            move |_| {
                if !was_repaired.swap(true, Relaxed) && warns {
                    tracing::warn!(path = %path.display(), "the store was not closed properly, and is being repaired");
                }
            }
        });
        // redb panics at some kinds of damage, which are reported like the others.
        let opened = panics::catch(|| match self {
            Self::Path(path) => open_or_create(&builder, path),
            Self::Disk(disk, _) => builder.create_with_backend(Backend(Arc::clone(disk))),
        });
        let damaged = |cause: String| Error::Damaged { path: path.to_path_buf(), cause };
        let Ok(opened) = opened else {
            return Err(damaged("its pages are inconsistent".to_owned()));
        };
        match opened {
            // A store is never empty (see `open_or_create`), so this one was truncated by something
            // else.
            Err(redb::DatabaseError::Storage(redb::StorageError::Io(cause)))
                if cause.kind() == ErrorKind::WriteZero =>
            {
                Err(damaged("the file is empty".to_owned()))
            }
            Ok(database) => Ok(DatabaseFile {
                database: Some(database),
                path: Arc::clone(&path),
                was_repaired: was_repaired.load(Relaxed),
                damage: Arc::clone(damage),
            }),
            Err(redb::DatabaseError::UpgradeRequired(version)) => {
                Err(damaged(format!("its file format version {version} is unknown")))
            }
            Err(redb::DatabaseError::RepairAborted) => Err(damaged("it could not be repaired".to_owned())),
            Err(error) => Err(Error::redb("open", &path, error)),
        }
    }
}

/// Opens a file, or creates it if it does not exist.
///
/// A new file is created under another name first, so that a process that is killed leaves no
/// incomplete file.
fn open_or_create(builder: &Builder, path: &Path) -> std::result::Result<Database, redb::DatabaseError> {
    let io = |cause| redb::DatabaseError::Storage(redb::StorageError::Io(cause));
    match std::fs::metadata(path) {
        Ok(file) if file.len() == 0 => return Err(io(ErrorKind::WriteZero.into())),
        Ok(_) => return builder.create_with_backend(PreallocatedFile::open(path)?),
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(io(cause)),
        Err(_) => {}
    }
    let unfinished = path.with_extension("new");
    match std::fs::remove_file(&unfinished) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(io(cause)),
        _ => {}
    }
    drop(builder.create(&unfinished)?);
    std::fs::rename(&unfinished, path).map_err(io)?;
    // The directory entry has to be durable like the content.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
    }
    builder.create_with_backend(PreallocatedFile::open(path)?)
}
