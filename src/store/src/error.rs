//! Errors of the store.

use std::path::PathBuf;
use std::sync::Arc;

use palabre_types::TableId;

/// The result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

/// The reason why a store operation failed. There is one variant for each reaction of callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Another process uses the data folder.
    #[error("{} is in use by {holder}; stop it first, or give this one another data folder", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// The process, as its lock file names it.
        holder: String,
    },
    /// The path of the data folder is a file or a dangling link.
    #[error(
        "the data folder {} is a file or a dangling link; move it away, or set another folder with data:",
        path.display()
    )]
    NotAFolder {
        /// The data folder.
        path: PathBuf,
    },
    /// The file is not a store, or its content has been overwritten.
    #[error(
        "the store {} is damaged ({cause}); keep the file, and put the last backup in its place",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The problem that was found.
        cause: String,
    },
    /// The file was written by a later version of the program.
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
        /// The latest version that this program reads.
        supported: u32,
    },
    /// The disk is full.
    ///
    /// Nothing that was acknowledged is lost. The store continues by itself once there is space.
    #[error("the disk that holds the store {} is full; free some space, and pending writes continue", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The operating system reported an error.
    #[error("cannot {doing} {}: {cause}", path.display())]
    Io {
        /// The operation that was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: Arc<std::io::Error>,
    },
    /// A condition of the batch did not hold, so that the batch was refused as a whole.
    #[error("batch refused: row {key} of table {} does not meet its condition", table.name())]
    Refused {
        /// The table.
        table: TableId,
        /// The key, in readable form.
        key: String,
    },
    /// A row cannot be decoded as a row of its table.
    #[error("row {key} of table {} cannot be read: {cause}", table.name())]
    Row {
        /// The table.
        table: TableId,
        /// The key, in readable form.
        key: String,
        /// The error of the decoder.
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

    /// Creates the error for a panic of redb's: a page has a wrong checksum or structure.
    pub(crate) fn panicked(path: &std::path::Path, panic: &(dyn std::any::Any + Send)) -> Self {
        let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        let cause = format!("a page is inconsistent: {}", said.unwrap_or("the storage engine panicked"));
        Self::Damaged { path: path.to_owned(), cause }
    }

    /// Converts an error of redb's.
    pub(crate) fn redb(doing: &'static str, path: &std::path::Path, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            // redb returns these for a file of another format, a torn header, and a page past the
            // end.
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

    /// True when a retry can succeed with the same program and the same batch.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::DiskFull { .. } | Self::Io { .. })
    }
}

/// Returns a key in readable form.
pub(crate) fn readable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}
