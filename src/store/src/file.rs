//! The open file, and how to open it again after the disk refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database};

use crate::disk::{Backend, Disk};
use crate::{Error, Result};

/// Memory for pages; what a small daemon needs, and enough that a million script values stay warm.
const CACHE_BYTES: usize = 64 << 20;

/// redb's database and the path that errors name.
pub(crate) struct DatabaseFile {
    pub(crate) database: Database,
    pub(crate) path: PathBuf,
}

/// Where a database comes from, each time it is opened.
#[derive(Clone)]
pub(crate) enum Source {
    Path(PathBuf),
    Disk(Arc<dyn Disk>),
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Path(path) => path,
            Self::Disk(_) => Path::new("(memory)"),
        }
    }

    pub(crate) fn open(&self) -> Result<DatabaseFile> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        let path = self.path().to_owned();
        // A file that is damaged in a way redb does not expect makes it panic; to us that is one more kind of damage.
        let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match self {
            Self::Path(path) => builder.create(path),
            Self::Disk(disk) => builder.create_with_backend(Backend(Arc::clone(disk))),
        }));
        let Ok(opened) = opened else {
            return Err(Error::Damaged { path, cause: "its pages contradict each other".to_owned() });
        };
        match opened {
            Ok(database) => Ok(DatabaseFile { database, path }),
            // redb says so of a file that is not its own and of a torn header alike.
            Err(redb::DatabaseError::Storage(redb::StorageError::Io(error)))
                if matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof) =>
            {
                Err(Error::Damaged { path, cause: error.to_string() })
            }
            Err(redb::DatabaseError::UpgradeRequired(version)) => {
                Err(Error::Damaged { path, cause: format!("its file format {version} is not known") })
            }
            Err(redb::DatabaseError::RepairAborted) => {
                Err(Error::Damaged { path, cause: "it could not be repaired".to_owned() })
            }
            Err(error) => Err(Error::redb("open", &path, error)),
        }
    }
}
