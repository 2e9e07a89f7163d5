use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::counts::{self, Watched};
use crate::damage::Damage;
use crate::disk::{Disk, MemoryDisk};
use crate::file::{SCAN_CACHE_BYTES, Source};
use crate::inspect::{self, Inspection};
use crate::key::Key;
use crate::lock::FolderLock;
use crate::overlay::OverlayDisk;
use crate::table::decode_value;
use crate::writer::{Answer, CurrentFile, Submission, Ticket, Writer};
use crate::{Batch, Direction, Error, Millis, Op, Result, Snapshot, TableId, installation, migrations};

const FILE: &str = "palabre.redb";
/// How many expired rows one sweep removes; the next goes on. Few enough that commits behind it hardly wait.
const SWEEP_ROWS: usize = 2_000;

/// An entry of the index of expiries: its own key, when, which table, which key.
type Expiry = (Vec<u8>, Millis, TableId, Vec<u8>);

/// The open store. Clones share it; the last one to go closes it, or else [`Store::close`] does, after all that was submitted is
/// written.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    current: CurrentFile,
    counters: Arc<Counters>,
    sums: Arc<Watched>,
    was_repaired: bool,
    damage: Arc<Damage>,
    /// `None` once it is closed, as the two below.
    queue: RwLock<Option<Sender<Submission>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<FolderLock>>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) groups: AtomicU64,
    pub(crate) batches: AtomicU64,
    /// When the writer began with the commit under way.
    pub(crate) writing_since: Mutex<Option<Instant>>,
}

/// What the store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Durable transactions.
    pub groups: u64,
    /// Batches in them.
    pub batches: u64,
}

impl Store {
    /// Opens or creates the store in `folder`, which is locked against other processes, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Damaged`], [`Error::Newer`], or what the operating system refused.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => Error::NotAFolder { path: folder.to_owned() },
            _ => Error::io("create the folder", folder, error),
        })?;
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE);
        let was_repaired = migrations::bring_up_to_date(&path)?;
        Self::start(Source::file(&path), Some(lock), was_repaired)
    }

    /// Opens the store in `folder` to look into it: the folder is locked, and nothing of the file changes, whatever is written.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is none.
    pub fn look_into(folder: &Path) -> Result<Self> {
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE);
        let source = Source::Disk(Arc::new(OverlayDisk::over(&path)?), path.into());
        let file = source.open_with(SCAN_CACHE_BYTES)?;
        migrations::check(&file)?;
        let was_repaired = file.was_repaired;
        drop(file);
        Self::start(source, Some(lock), was_repaired)
    }

    /// A store that is gone with its last handle.
    pub fn in_memory() -> Result<Self> {
        Self::on_disk(Arc::new(MemoryDisk::default()))
    }

    /// A store on any disk: for tests in which the disk fills up or loses power.
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
        let current: CurrentFile = Arc::new(RwLock::new(Some(source.open_again(&damage)?)));
        let (counters, sums) = (Arc::new(Counters::default()), Arc::new(Watched::default()));
        let (queue, receiver) = mpsc::channel();
        let path = Arc::clone(source.path());
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
            .map_err(|error| Error::io("start the writer of", &path, error))?;
        let (queue, writer, lock) = (RwLock::new(Some(queue)), Mutex::new(Some(writer)), Mutex::new(lock));
        Ok(Self { inner: Arc::new(Inner { current, counters, sums, was_repaired, damage, queue, writer, lock }) })
    }

    /// Writes what was submitted and closes the file in order, whoever still has a handle: for them the store is closed from then on.
    /// Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns whether the file had not been closed in order before it was opened, and so had to be repaired.
    #[must_use]
    pub fn was_repaired(&self) -> bool {
        self.inner.was_repaired
    }

    /// Returns how many bytes of keys and values `owner` has in [`TableId::ScriptValues`], kept up to date with what is durable. Rows that
    /// have expired count until they are swept.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stored_bytes(&self, owner: &str) -> Result<Arc<AtomicU64>> {
        self.inner.sums.of(owner, |key| {
            let row = self.snapshot(0)?.get(counts::SUMS, key)?;
            Ok(row.and_then(|row| decode_value(&row.value).ok()).unwrap_or(0))
        })
    }

    /// Counts anew how many bytes every owner has stored. For a store that nobody uses yet.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn recount(&self) -> Result<()> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        counts::recount(current.as_ref().ok_or(Error::Closed)?)
    }

    /// Forgets what belonged to the installation that the file was copied from. For a store that was restored and that nobody uses yet.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn become_another_installation(&self) -> Result<()> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        installation::forget(current.as_ref().ok_or(Error::Closed)?)
    }

    /// Hands `batch` to the writer. The ticket answers when it is durable, or says why it is not. Batches are applied in
    /// the order in which they were committed.
    pub fn commit(&self, batch: Batch) -> Ticket {
        let (answer, ticket) = oneshot::channel();
        self.submit(batch, Answer::Ticket(answer));
        Ticket(ticket)
    }

    /// As [`Store::commit`], and calls `then` on the writer's own thread with the batch, to be offered again if need be, and the
    /// verdict. What `then` does delays every commit behind it, so it should be brief and must not panic.
    pub fn commit_then(&self, batch: Batch, then: impl FnOnce(Batch, Result<()>) + Send + 'static) {
        self.submit(batch, Answer::Then(Box::new(then)));
    }

    fn submit(&self, batch: Batch, answer: Answer) {
        // A writer that has died drops the answer, and so does a store that is closed: the ticket says so.
        if let Some(queue) = &*self.inner.queue.read().unwrap_or_else(PoisonError::into_inner) {
            drop(queue.send(Submission { batch, answer }));
        }
    }

    /// The store as it is now; rows that expire at or before `now` are not in it.
    pub fn snapshot(&self, now: Millis) -> Result<Snapshot> {
        let current = self.inner.current.read().unwrap_or_else(PoisonError::into_inner);
        Snapshot::new(current.as_ref().ok_or(Error::Closed)?, now)
    }

    /// Removes rows that had expired at `now`, some thousands at most; the next call goes on. Returns how many index entries it settled.
    pub fn sweep(&self, now: Millis) -> Result<(usize, Ticket)> {
        let mut batch = Batch::default();
        for entry in self.expiries(None)? {
            let (_, expires, table, key) = entry?;
            if expires > now {
                break;
            }
            batch.ops.push(Op::Expire { table, key, expires, at: now });
        }
        let settled = batch.ops.len();
        Ok((settled, self.commit(batch)))
    }

    /// Moves the ends of rows that expire at `from` or later to what `end` makes of them. Returns how many it moved. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn move_expiries(&self, from: Millis, end: impl Fn(Millis) -> Millis) -> Result<u64> {
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
                self.commit(batch).wait()?;
            }
        }
    }

    /// Some thousands of the index of ends, in order, from behind the entry of key `after` on: the entry's key, when the row ends, its
    /// table and its key.
    fn expiries(&self, after: Option<Vec<u8>>) -> Result<impl Iterator<Item = Result<Expiry>> + use<>> {
        let snapshot = self.snapshot(0)?;
        let rows: Vec<_> =
            snapshot.scan(TableId::Expiry, &[], after.as_deref(), Direction::Forward)?.take(SWEEP_ROWS).collect();
        Ok(rows.into_iter().filter_map(|row| {
            let index = match row {
                Ok((index, _)) => index,
                Err(error) => return Some(Err(error)),
            };
            let (expires, table, key) = <(u64, u8, Vec<u8>)>::decode(&mut &index[..])?;
            Some(Ok((index, expires, TableId::from_u8(table)?, key)))
        }))
    }

    /// Reads every row, and says what is wrong and how much there is. [`verify`](crate::verify) looks at the checksums too.
    pub fn inspect(&self) -> Result<Inspection> {
        Ok(inspect::inspect(&self.snapshot(0)?))
    }

    /// Copies everything committed so far into a new file at `target`, while the store goes on.
    pub fn backup(&self, target: &Path) -> Result<()> {
        inspect::copy(&self.snapshot(0)?, target)
    }

    /// What has been done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.inner.counters;
        Stats { groups: counters.groups.load(Relaxed), batches: counters.batches.load(Relaxed) }
    }

    /// Returns how long the commit under way has taken; nothing while there is none. A disk that hangs shows here.
    #[must_use]
    pub fn writing_for(&self) -> Option<Duration> {
        let since = *self.inner.counters.writing_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed())
    }

    /// Returns the first damage that was met since the store was opened, as it is closed included.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.inner.damage.found()
    }

    /// Returns whether the writer's thread runs.
    #[must_use]
    pub fn is_writing_possible(&self) -> bool {
        let writer = self.inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }
}

impl Inner {
    fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last handle may go in what the writer itself calls when a commit is done; it ends by itself then.
        if let Some(writer) = writer
            && writer.thread().id() != std::thread::current().id()
            && writer.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic; what was acknowledged is safe");
        }
        let file = self.current.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(file);
        // Not before the file is closed: whoever waits for the folder opens it at once.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
