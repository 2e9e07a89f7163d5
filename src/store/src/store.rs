//! The store itself: opening, committing, sweeping, closing.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::counts::{self, Watched};
use crate::damage::Damage;
use crate::disk::{Disk, MemoryDisk};
use crate::error::{Error, Result};
use crate::file::{SCAN_CACHE_BYTES, Source};
use crate::inspect::{self, Inspection};
use crate::lock::FolderLock;
use crate::overlay::OverlayDisk;
use crate::snapshot::{Direction, Snapshot};
use crate::stats::{Counters, Stats};
use crate::submission::{Answer, Applied, BatchIdentity, Submission, Ticket};
use crate::table::decode_value;
use crate::writer::{CurrentFile, Writer};
use crate::{installation, migrations};
use palabre_types::Key;
use palabre_types::TableId;
use palabre_types::{Batch, Millis, Op};

const STORE_FILE: &str = "palabre.redb";
/// The maximum number of rows that one sweep removes; few enough not to delay later commits.
const SWEEP_ROWS_MAX: usize = 2_000;

/// An entry of the expiry index: its own key, the expiry, the table and the key of the row.
type Expiry = (Vec<u8>, Millis, TableId, Vec<u8>);

/// The open store.
///
/// Clones share it. It is closed when the last one is dropped or by [`Store::close`], after
/// everything that was submitted has been written.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    current: CurrentFile,
    counters: Arc<Counters>,
    sums: Arc<Watched>,
    was_repaired: bool,
    /// `None` for a store in memory, or one that is only inspected.
    folder: Option<PathBuf>,
    damage: Arc<Damage>,
    /// `None` once the store is closed, like the two below.
    queue: RwLock<Option<Sender<Submission>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<FolderLock>>,
}

impl Store {
    /// Opens or creates the store in `folder`, locks it and migrates the schema.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::NotAFolder`], [`Error::Damaged`], [`Error::Newer`], or an error
    /// of the operating system.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => Error::NotAFolder { path: folder.to_owned() },
            _ => Error::io("create the folder", folder, error),
        })?;
        let lock = FolderLock::acquire(folder)?;
        let path = folder.join(STORE_FILE);
        let was_repaired = migrations::bring_up_to_date(&path)?;
        Self::start(Source::file(&path), Some(lock), was_repaired)
    }

    /// Opens the store in `folder` for inspection, which never changes the file.
    ///
    /// The folder is locked. Writes are kept in memory.
    ///
    /// # Errors
    /// Those of [`Store::open`], and when there is no store.
    pub fn open_for_inspection(folder: &Path) -> Result<Self> {
        let lock = FolderLock::acquire(folder)?;
        let path = folder.join(STORE_FILE);
        let source = Source::Disk(Arc::new(OverlayDisk::over(&path)?), path.into());
        let file = source.open_with(SCAN_CACHE_BYTES)?;
        migrations::check(&file)?;
        let was_repaired = file.was_repaired;
        drop(file);
        Self::start(source, Some(lock), was_repaired)
    }

    /// Creates a store in memory, which is lost with its last handle.
    pub fn in_memory() -> Result<Self> {
        Self::on_disk(Arc::new(MemoryDisk::default()))
    }

    /// Opens a store on any disk, for tests in which the disk fills up or loses power.
    pub fn on_disk(disk: Arc<dyn Disk>) -> Result<Self> {
        let source = Source::memory(disk);
        let file = source.open()?;
        migrations::stamp_if_new(&file)?;
        let was_repaired = file.was_repaired;
        drop(file);
        Self::start(source, None, was_repaired)
    }

    fn start(source: Source, lock: Option<FolderLock>, was_repaired: bool) -> Result<Self> {
        let damage = Arc::default();
        let current: CurrentFile = Arc::new(RwLock::new(Some(source.reopen(&damage)?)));
        let (counters, sums) = (Arc::new(Counters::default()), Arc::new(Watched::default()));
        let (queue, receiver) = mpsc::channel();
        let path = Arc::clone(source.path());
        let folder = source.folder().map(Path::to_owned);
        let writer = Writer {
            source,
            current: Arc::clone(&current),
            counters: Arc::clone(&counters),
            sums: Arc::clone(&sums),
            damage: Arc::clone(&damage),
            is_broken: false,
        };
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| Error::io("start the writer thread of", &path, error))?;
        let (queue, writer, lock) = (RwLock::new(Some(queue)), Mutex::new(Some(writer)), Mutex::new(lock));
        Ok(Self {
            inner: Arc::new(Inner { current, counters, sums, was_repaired, folder, damage, queue, writer, lock }),
        })
    }

    /// Writes everything that was submitted and closes the file properly.
    ///
    /// The store is then closed for all remaining handles too. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Whether the file had not been closed properly before, and was therefore repaired.
    #[must_use]
    pub fn was_repaired(&self) -> bool {
        self.inner.was_repaired
    }

    /// Returns the folder that the store is in, in which other data of the same daemon may lie.
    ///
    /// `None` for a store in memory, or one that is only inspected.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.inner.folder.as_deref()
    }

    /// Returns the bytes of keys and values that `owner` has in [`TableId::ScriptValues`].
    ///
    /// The value is updated when a commit is durable. Expired rows count until they are swept.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn stored_bytes(&self, owner: &str) -> Result<Arc<AtomicU64>> {
        self.inner.sums.of(owner, |key| {
            let row = self.snapshot(0)?.get(counts::SUMS, key)?;
            Ok(row.and_then(|row| decode_value(&row.value).ok()).unwrap_or(0))
        })
    }

    /// Counts again how many bytes every owner stores, in a store that is not in use yet.
    ///
    /// # Errors
    /// Fails when the store cannot be read or written.
    pub fn recount(&self) -> Result<()> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        counts::recount(current.as_ref().ok_or(Error::Closed)?)
    }

    /// Removes the data of the installation that the file was copied from.
    ///
    /// For a store that was restored and is not in use yet.
    ///
    /// # Errors
    /// Fails when the store cannot be written.
    pub fn clear_installation_data(&self) -> Result<()> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        installation::clear(current.as_ref().ok_or(Error::Closed)?)
    }

    /// Submits `batch` to the writer.
    ///
    /// The ticket resolves when the batch is durable, or with the reason why it is not. Batches are
    /// applied in the order in which they were submitted.
    pub fn commit(&self, batch: Batch) -> Ticket {
        let (answer, ticket) = oneshot::channel();
        self.submit(batch, None, Answer::Ticket(answer));
        Ticket(ticket)
    }

    /// Submits `batch` like [`Store::commit`], and calls `then` on the writer's thread.
    ///
    /// `then` gets the result, and the batch to submit it again if necessary. It delays all later
    /// commits, so it should be brief, and it must not panic.
    ///
    /// A batch with an identity is applied once, however often it is submitted: if a commit that
    /// failed has brought it into the file, the result is that of this commit.
    pub fn commit_with_callback(
        &self,
        batch: Batch,
        identity: Option<BatchIdentity>,
        then: impl FnOnce(Batch, Result<Applied>) + Send + 'static,
    ) {
        self.submit(batch, identity, Answer::Then(Box::new(then)));
    }

    fn submit(&self, batch: Batch, identity: Option<BatchIdentity>, answer: Answer) {
        // Without a writer, or in a closed store, the answer is dropped, which resolves the ticket
        // to an error.
        if let Some(queue) = &*self.inner.queue.read().unwrap_or_else(PoisonError::into_inner) {
            drop(queue.send(Submission { batch, identity, answer }));
        }
    }

    /// Returns the current state of the store, without rows that expire at or before `now`.
    pub fn snapshot(&self, now: Millis) -> Result<Snapshot> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        Snapshot::new(current.as_ref().ok_or(Error::Closed)?, now)
    }

    /// Returns the removal of rows that had expired at `now`, up to a few thousand of them.
    ///
    /// Once it is committed, the next call continues. It is empty if there are no more.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn expired(&self, now: Millis) -> Result<Batch> {
        let mut batch = Batch::default();
        for entry in self.expiries(None)? {
            let (_, expires, table, key) = entry?;
            if expires > now {
                break;
            }
            batch.ops.push(Op::Expire { table, key, expires, at: now });
        }
        Ok(batch)
    }

    /// Replaces the expiries from `from` on by the result of `end`, and returns how many changed.
    ///
    /// `write` commits a batch of changes, and blocks until it is durable.
    ///
    /// # Errors
    /// Fails when the store cannot be read or written.
    pub fn move_expiries<E: From<Error>>(
        &self,
        from: Millis,
        end: impl Fn(Millis) -> Millis,
        mut write: impl FnMut(Batch) -> std::result::Result<(), E>,
    ) -> std::result::Result<u64, E> {
        let (mut moved, mut after) = (0, from.checked_sub(1).map(|before| (before, u8::MAX).to_bytes()));
        loop {
            let (mut batch, mut looked_at) = (Batch::default(), 0);
            for entry in self.expiries(after.take())? {
                let (index, expires, table, key) = entry?;
                after = Some(index);
                looked_at += 1;
                let until = end(expires);
                if until != expires {
                    moved += 1;
                    batch.ops.push(Op::Renew { table, key, expires, until });
                }
            }
            if looked_at == 0 {
                return Ok(moved);
            }
            if !batch.is_empty() {
                write(batch)?;
            }
        }
    }

    /// Returns up to [`SWEEP_ROWS_MAX`] entries of the expiry index, beginning after `after`.
    fn expiries(&self, after: Option<Vec<u8>>) -> Result<impl Iterator<Item = Result<Expiry>> + use<>> {
        let snapshot = self.snapshot(0)?;
        let rows: Vec<_> =
            snapshot.scan(TableId::Expiry, &[], after.as_deref(), Direction::Forward)?.take(SWEEP_ROWS_MAX).collect();
        Ok(rows.into_iter().filter_map(|row| {
            let index = match row {
                Ok((index, _)) => index,
                Err(error) => return Some(Err(error)),
            };
            let (expires, table, key) = <(u64, u8, Vec<u8>)>::decode(&mut &index[..])?;
            Some(Ok((index, expires, TableId::from_u8(table)?, key)))
        }))
    }

    /// Reads every row, and reports the number of rows and the problems found.
    ///
    /// [`verify`](crate::verify) also verifies checksums.
    pub fn inspect(&self) -> Result<Inspection> {
        Ok(inspect::inspect(&self.snapshot(0)?))
    }

    /// Copies everything committed so far into a new file at `target`; commits continue meanwhile.
    pub fn backup(&self, target: &Path) -> Result<()> {
        inspect::copy(&self.snapshot(0)?, target)
    }

    /// Returns the counters since the store was opened.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.counters.stats()
    }

    /// Returns how long the commit in progress has taken so far; `None` if there is none.
    ///
    /// A disk that hangs shows here.
    #[must_use]
    pub fn commit_duration(&self) -> Option<Duration> {
        self.inner.counters.commit_duration()
    }

    /// Returns the first damage found since the store was opened, also while it was closed.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.inner.damage.found()
    }

    /// Whether the writer's thread is running.
    #[must_use]
    pub fn is_writer_running(&self) -> bool {
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }
}

impl Inner {
    fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last handle may be dropped by a callback on the writer's thread, which then ends by
        // itself.
        if let Some(writer) = writer
            && writer.thread().id() != std::thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer thread panicked; acknowledged commits are safe");
        }
        let file = self.current.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(file);
        // Only after the file is closed: a process that waits for the folder opens it at once.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
