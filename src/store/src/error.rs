use std::path::PathBuf;
use std::sync::Arc;

use crate::TableId;

/// What a store call returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store could not do what was asked. One variant for each thing that a caller does differently.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process has the data folder.
    #[error("{} is in use by {holder}; stop it first, or give this one another data folder", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// The holder, as its lock file names it.
        holder: String,
    },
    /// There is something else where the data folder should be.
    #[error(
        "{} should be the data folder, and is a file or a link to nothing; move it away, or name another folder with data:",
        path.display()
    )]
    NotAFolder {
        /// The data folder.
        path: PathBuf,
    },
    /// The file is not a store, or what was in it has been overwritten.
    #[error(
        "the store {} is damaged ({cause}); keep the file, and put the last backup in its place",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// The file was written by a later version.
    #[error(
        "the store {} has schema version {found}, and this Palabre knows versions up to {supported}; \
         run the newer Palabre that wrote it, or restore the backup made before the upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version in the file.
        found: u32,
        /// The newest version that this program reads.
        supported: u32,
    },
    /// The disk took no more. Nothing that was acknowledged is lost; the store goes on by itself once there is room.
    #[error("the disk that holds the store {} is full; free some space, what waits is written then", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's own words.
        cause: Arc<std::io::Error>,
    },
    /// A condition of the batch did not hold; nothing of the batch was done.
    #[error("refused: row {key} of table {} is not as the batch requires", table.name())]
    Refused {
        /// The table.
        table: TableId,
        /// The key, readable.
        key: String,
    },
    /// A row does not decode as what its table holds.
    #[error("row {key} of table {} cannot be read: {cause}", table.name())]
    Row {
        /// The table.
        table: TableId,
        /// The key, readable.
        key: String,
        /// The decoder's own words.
        cause: String,
    },
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &std::path::Path, cause: std::io::Error) -> Self {
        if cause.kind() == std::io::ErrorKind::StorageFull || cause.kind() == std::io::ErrorKind::QuotaExceeded {
            return Self::DiskFull { path: path.to_owned() };
        }
        Self::Io { doing, path: path.to_owned(), cause: Arc::new(cause) }
    }

    /// What is known of pages that redb panics at: their checksums or structure do not hold.
    pub(crate) fn panicked(path: &std::path::Path, panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let cause = format!("a page cannot be what it should be: {}", said.unwrap_or("the storage engine gave up"));
        Self::Damaged { path: path.to_owned(), cause }
    }

    /// Sorts redb's errors into ours.
    pub(crate) fn redb(doing: &'static str, path: &std::path::Path, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            // redb says so of a file that is not its own, of a torn header and of a page that lies behind the end.
            redb::Error::Io(cause)
                if matches!(cause.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof) =>
            {
                Self::Damaged { path: path.to_owned(), cause: cause.to_string() }
            }
            redb::Error::Io(cause) => Self::io(doing, path, cause),
            redb::Error::DatabaseClosed => Self::Closed,
            redb::Error::DatabaseAlreadyOpen => {
                Self::Locked { path: path.to_owned(), holder: "another process".to_owned() }
            }
            redb::Error::Corrupted(cause) => Self::Damaged { path: path.to_owned(), cause },
            other => Self::Io { doing, path: path.to_owned(), cause: Arc::new(std::io::Error::other(other)) },
        }
    }

    /// True when trying the same again later can succeed without anybody changing the program or the batch.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::Io { .. })
    }
}

/// A key as a person can read it.
pub(crate) fn readable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}
