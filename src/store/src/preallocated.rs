//! A file whose holes are filled with zeros before the first write into them.
//!
//! redb doubles its file when it is full, which makes a sparse file: each commit then writes into
//! holes, and its fsync waits until the file system has allocated the blocks and recorded that they
//! are initialized. ext4 does the last on a kernel thread, which gets no processor for up to a
//! second while the machine is saturated. Overwriting initialized blocks needs neither, so that
//! only one commit in some hundred waits for it.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::backends::FileBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

/// The unit that is filled at once, in bytes: a few hundredths of a second of writing on a slow disk.
const CHUNK_BYTES: u64 = 4 << 20;

static ZEROS: [u8; 256 << 10] = [0; 256 << 10];

/// redb's file backend, with holes filled a chunk at a time.
#[derive(Debug)]
pub(crate) struct PreallocatedFile {
    file: FileBackend,
    /// The numbers of the chunks that are a hole.
    holes: Mutex<BTreeSet<u64>>,
}

impl PreallocatedFile {
    /// Opens an existing file.
    pub(crate) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let io = |cause| DatabaseError::Storage(redb::StorageError::Io(cause));
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
        let holes = Mutex::new(holes_of(&file));
        Ok(Self { file: FileBackend::new(file)?, holes })
    }

    fn holes(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.holes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes zeros to a range, as far as there is space.
    ///
    /// An error is ignored, because the range is zero anyway, and what is written there next
    /// meets the same error.
    fn fill(&self, mut from: u64, to: u64) {
        while from < to {
            let length = to.saturating_sub(from).min(ZEROS.len() as u64);
            let zeros = usize::try_from(length).map_or(ZEROS.as_slice(), |length| &ZEROS[..length]);
            if self.file.write(from, zeros).is_err() {
                return;
            }
            from += length;
        }
    }
}

impl StorageBackend for PreallocatedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut holes = self.holes();
        let old = self.file.len()?;
        self.file.set_len(len)?;
        if len < old {
            holes.retain(|chunk| chunk * CHUNK_BYTES < len);
            return Ok(());
        }
        // The rest of a chunk that holds data is filled now, since only whole chunks are filled
        // later.
        if !holes.contains(&(old / CHUNK_BYTES)) {
            self.fill(old, old.next_multiple_of(CHUNK_BYTES).min(len));
        }
        holes.extend(old.div_ceil(CHUNK_BYTES)..len.div_ceil(CHUNK_BYTES));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut holes = self.holes();
        let end = offset.saturating_add(data.len() as u64);
        for chunk in offset / CHUNK_BYTES..end.div_ceil(CHUNK_BYTES) {
            if holes.remove(&chunk) {
                let start = chunk * CHUNK_BYTES;
                self.fill(start, (start + CHUNK_BYTES).min(self.file.len()?));
            }
        }
        drop(holes);
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

/// Returns the numbers of the chunks that are a hole: a process that was killed leaves them.
///
/// A file system that cannot tell reports none, which costs time only.
#[cfg(target_os = "linux")]
fn holes_of(file: &File) -> BTreeSet<u64> {
    use rustix::fs::{SeekFrom, seek};

    let mut holes = BTreeSet::new();
    let Ok(length) = file.metadata().map(|file| file.len()) else { return holes };
    let mut at = 0;
    while at < length
        && let Ok(start) = seek(file, SeekFrom::Hole(at))
        && start < length
    {
        // There is no data behind the last hole.
        let end = seek(file, SeekFrom::Data(start)).unwrap_or(length);
        let last = if end >= length { length.div_ceil(CHUNK_BYTES) } else { end / CHUNK_BYTES };
        holes.extend(start.div_ceil(CHUNK_BYTES)..last);
        at = end;
    }
    holes
}

#[cfg(not(target_os = "linux"))]
fn holes_of(_file: &File) -> BTreeSet<u64> {
    BTreeSet::new()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    /// A call of redb.
    #[derive(Debug, Clone)]
    enum Step {
        SetLen(u64),
        Write { at: u64, byte: u8, length: u64 },
        Reopen,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let position = || 0..4 * CHUNK_BYTES;
        let step = prop_oneof![
            3 => position().prop_map(Step::SetLen),
            5 => (position(), any::<u8>(), 1..100_000_u64)
                .prop_map(|(at, byte, length)| Step::Write { at, byte, length }),
            1 => Just(Step::Reopen),
        ];
        proptest::collection::vec(step, 1..30)
    }

    fn empty_file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        (folder, path)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Filling holes never shows: the file holds what an array of bytes would hold.
        #[test]
        fn it_holds_what_was_written_and_zeros_elsewhere(steps in steps()) {
            let (_folder, path) = empty_file();
            let mut file = PreallocatedFile::open(&path).unwrap();
            let mut expected: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::SetLen(len) => {
                        file.set_len(len).unwrap();
                        expected.resize(usize::try_from(len).unwrap(), 0);
                    }
                    Step::Write { at, byte, length } => {
                        let end = (at + length).min(expected.len() as u64);
                        if at < end {
                            let data = vec![byte; usize::try_from(end - at).unwrap()];
                            file.write(at, &data).unwrap();
                            let at = usize::try_from(at).unwrap();
                            expected[at..at + data.len()].copy_from_slice(&data);
                        }
                    }
                    Step::Reopen => file = PreallocatedFile::open(&path).unwrap(),
                }
            }
            prop_assert!(std::fs::read(&path).unwrap() == expected);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_fills_its_chunk_and_no_other_one() {
        let (_folder, path) = empty_file();
        let file = PreallocatedFile::open(&path).unwrap();
        file.set_len(8 * CHUNK_BYTES).unwrap();
        file.write(2 * CHUNK_BYTES + 5, b"text").unwrap();
        file.sync_data().unwrap();
        assert_eq!(holes_of(&File::open(&path).unwrap()), BTreeSet::from([0, 1, 3, 4, 5, 6, 7]));
        // A process that was killed left the holes to the next one.
        drop(file);
        let file = PreallocatedFile::open(&path).unwrap();
        file.write(4 * CHUNK_BYTES - 1, b"text").unwrap();
        file.sync_data().unwrap();
        assert_eq!(holes_of(&File::open(&path).unwrap()), BTreeSet::from([0, 1, 5, 6, 7]));
    }
}
