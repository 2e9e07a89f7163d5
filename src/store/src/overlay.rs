//! A read-only view of a file with writes kept in memory.
//!
//! It is used to look into a file without changing it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::disk::Disk;
use crate::error::{Error, Result};

/// The size of the blocks in which writes are kept.
const BLOCK_BYTES: usize = 4_096;

#[derive(Debug)]
pub(crate) struct OverlayDisk {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// The length of the file that is still valid: bytes that were truncated do not come back.
    of_file: u64,
    size: u64,
    /// Blocks that were written to, by number.
    written: HashMap<u64, Vec<u8>>,
}

impl OverlayDisk {
    pub(crate) fn over(path: &Path) -> Result<Self> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = opened.map_err(|error| Error::io("open", path, error))?;
        Ok(Self { state: Mutex::new(State { file, of_file: size, size, written: HashMap::new() }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns the current bytes of a block.
    fn block(&mut self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(written) = self.written.get(&number) {
            return Ok(written.clone());
        }
        let start = number * BLOCK_BYTES as u64;
        let there = self.of_file.saturating_sub(start).min(BLOCK_BYTES as u64) as usize;
        let mut bytes = vec![0; BLOCK_BYTES];
        if there > 0 {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut bytes[..there])?;
        }
        Ok(bytes)
    }

    /// Splits a span of bytes into blocks.
    ///
    /// Returns for each block its number, the offset in it at which the span begins, and the part
    /// of the span in it.
    fn blocks(
        &self,
        offset: u64,
        length: usize,
    ) -> io::Result<impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> + use<>> {
        if offset.checked_add(length as u64).is_none_or(|end| end > self.size) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut done = 0;
        Ok(std::iter::from_fn(move || {
            if done == length {
                return None;
            }
            let at = offset + done as u64;
            let within = (at % BLOCK_BYTES as u64) as usize;
            let part = done..length.min(done + BLOCK_BYTES - within);
            done = part.end;
            Some((at / BLOCK_BYTES as u64, within, part))
        }))
    }
}

impl Disk for OverlayDisk {
    fn size(&self) -> io::Result<u64> {
        Ok(self.lock().size)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.lock();
        for (number, within, part) in state.blocks(offset, out.len())? {
            let block = state.block(number)?;
            let length = part.len();
            out[part].copy_from_slice(&block[within..within + length]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.lock();
        if len < state.size {
            state.of_file = state.of_file.min(len);
            let last = len / BLOCK_BYTES as u64;
            state.written.retain(|number, _| *number <= last);
            if let Some(block) = state.written.get_mut(&last) {
                block[(len % BLOCK_BYTES as u64) as usize..].fill(0);
            }
        }
        state.size = len;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        for (number, within, part) in state.blocks(offset, data.len())? {
            let mut block = state.block(number)?;
            let length = part.len();
            block[within..within + length].copy_from_slice(&data[part]);
            state.written.insert(number, block);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_read_back_and_leave_the_file_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![7; 10_000]).unwrap();
        let disk = OverlayDisk::over(&path).unwrap();

        disk.write(4_000, &[1; 5_000]).unwrap();
        disk.set_len(8_500).unwrap();
        disk.set_len(12_000).unwrap();

        let mut all = vec![0; 12_000];
        disk.read(0, &mut all).unwrap();
        let expected = [vec![7; 4_000], vec![1; 4_500], vec![0; 3_500]].concat();
        assert!(all == expected);
        assert!(disk.read(11_999, &mut [0; 2]).is_err());
        assert!(std::fs::read(&path).unwrap() == vec![7; 10_000]);
    }
}
