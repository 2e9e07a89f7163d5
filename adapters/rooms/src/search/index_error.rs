//! Errors of the index.

use std::io;

use tantivy::TantivyError;
use tantivy::directory::error::{OpenDirectoryError, OpenReadError, OpenWriteError};

/// The reason why the index cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    /// The files are damaged, or of another version: the index is built anew.
    #[error("the search index is damaged: {0}")]
    Damaged(String),
    /// The system refuses a read or a write, such as at a full disk.
    #[error("the search index cannot be read or written: {0}")]
    Refused(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] palabre_store::Error),
    /// The service is stopping.
    #[error("the service is stopping")]
    Stopped,
}

impl IndexError {
    /// Whether the index has to be built anew.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// Describes an error of the system with a file or folder of the index.
    pub(crate) fn of_system(error: &io::Error) -> Self {
        if is_of_system(error) { Self::Refused(error.to_string()) } else { Self::Damaged(error.to_string()) }
    }
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        let is_refused = match &error {
            TantivyError::IoError(cause)
            | TantivyError::OpenReadError(OpenReadError::IoError { io_error: cause, .. })
            | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: cause, .. })
            | TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: cause, .. }) => {
                is_of_system(cause)
            }
            // The cause of an error in a thread is in its text only; a full disk is the usual one.
            TantivyError::ErrorInThread(_) | TantivyError::SystemError(_) | TantivyError::LockFailure(..) => true,
            _ => false,
        };
        if is_refused { Self::Refused(error.to_string()) } else { Self::Damaged(error.to_string()) }
    }
}

/// Whether the system has refused something, except that a file is missing. Wrong contents have no such code.
fn is_of_system(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge | PermissionDenied | ReadOnlyFilesystem => true,
        NotFound => false,
        _ => error.raw_os_error().is_some(),
    }
}
