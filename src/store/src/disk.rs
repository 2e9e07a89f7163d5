//! Storage other than a plain file: memory, and the failing disks of tests.

use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// A growable array of bytes that can be synced.
///
/// `Store::on_disk` runs on any implementation. Tests use disks that fail, fill up and lose power.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Returns the length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Fills `out` from `offset`.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Extends it with zeros, or truncates it.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Returns once everything that was written is durable.
    fn sync(&self) -> io::Result<()>;
    /// Writes `data` at `offset`.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
}

/// A disk in memory, whose content is lost with the last handle.
#[derive(Debug, Default)]
pub struct MemoryDisk {
    bytes: Mutex<Vec<u8>>,
}

impl MemoryDisk {
    /// Returns a copy of the current content.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        self.lock().clone()
    }

    /// Creates a disk with an initial content.
    #[must_use]
    pub fn with_content(content: Vec<u8>) -> Self {
        Self { bytes: Mutex::new(content) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for MemoryDisk {
    fn size(&self) -> io::Result<u64> {
        Ok(self.lock().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.lock();
        let from = span(offset, out.len(), bytes.len())?;
        out.copy_from_slice(&bytes[from..from + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.lock().resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.lock();
        let from = span(offset, data.len(), bytes.len())?;
        bytes[from..from + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn span(offset: u64, length: usize, size: usize) -> io::Result<usize> {
    let from = usize::try_from(offset).map_err(io::Error::other)?;
    if from.checked_add(length).is_none_or(|end| end > size) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(from)
}

/// Adapts a [`Disk`] to redb's storage trait, which is not visible outside this crate.
#[derive(Debug)]
pub(crate) struct Backend(pub(crate) Arc<dyn Disk>);

impl redb::StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
