use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::disk::{Disk, MemoryDisk};
use crate::file::{DatabaseFile, Source};
use crate::inspect::{self, Inspection};
use crate::key::Key;
use crate::lock::FolderLock;
use crate::writer::{Answer, CurrentFile, Submission, Ticket, Writer};
use crate::{Batch, Direction, Error, Millis, Op, Result, Snapshot, TableId, migrations};

const FILE: &str = "palabre.redb";
/// How many expired rows one sweep removes; the next goes on.
const SWEEP_ROWS: usize = 10_000;

/// The open store. Clones share it; the last one to go closes it, after all that was submitted is written.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    current: CurrentFile,
    counters: Arc<Counters>,
    // `None` only while it is being dropped.
    queue: Option<Sender<Submission>>,
    writer: Option<JoinHandle<()>>,
    _lock: Option<FolderLock>,
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
        std::fs::create_dir_all(folder).map_err(|error| Error::io("create the folder", folder, error))?;
        let lock = FolderLock::take(folder)?;
        let path = folder.join(FILE);
        migrations::bring_up_to_date(&path)?;
        Self::start(Source::Path(path), Some(lock))
    }

    /// A store that is gone with its last handle.
    pub fn in_memory() -> Result<Self> {
        Self::on_disk(Arc::new(MemoryDisk::default()))
    }

    /// A store on any disk: for tests in which the disk fills up or loses power.
    pub fn on_disk(disk: Arc<dyn Disk>) -> Result<Self> {
        let source = Source::Disk(disk);
        let file = source.open()?;
        migrations::stamp_if_new(&file)?;
        drop(file);
        Self::start(source, None)
    }

    fn start(source: Source, lock: Option<FolderLock>) -> Result<Self> {
        let current: CurrentFile = Arc::new(RwLock::new(Some(Arc::new(source.open()?))));
        let counters = Arc::new(Counters::default());
        let (queue, receiver) = mpsc::channel();
        let path = source.path().to_owned();
        let writer = Writer { source, current: Arc::clone(&current), counters: Arc::clone(&counters), broken: None };
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&receiver))
            .map_err(|error| Error::io("start the writer of", &path, error))?;
        Ok(Self { inner: Arc::new(Inner { current, counters, queue: Some(queue), writer: Some(writer), _lock: lock }) })
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
        if let Some(queue) = &self.inner.queue {
            // A writer that has died drops the answer, and the ticket says that the store is closed.
            drop(queue.send(Submission { batch, answer }));
        }
    }

    /// The store as it is now; rows that expire at or before `now` are not in it.
    pub fn snapshot(&self, now: Millis) -> Result<Snapshot> {
        Snapshot::new(self.file()?, now)
    }

    /// Removes rows that had expired at `now`, some thousands at most. Returns how many index entries it settled.
    pub fn sweep(&self, now: Millis) -> Result<(usize, Ticket)> {
        let snapshot = self.snapshot(0)?;
        let mut batch = Batch::default();
        for row in snapshot.scan(TableId::Expiry, &[], None, Direction::Forward)?.take(SWEEP_ROWS) {
            let (index, _) = row?;
            let Some((expires, table, key)) = <(u64, u8, Vec<u8>)>::decode(&mut &index[..]) else { continue };
            if expires > now {
                break;
            }
            if let Some(table) = TableId::from_u8(table) {
                batch.ops.push(Op::Expire { table, key, expires, at: now });
            }
        }
        let settled = batch.ops.len();
        Ok((settled, self.commit(batch)))
    }

    /// Reads every page and every row, and says what is wrong and how much there is.
    pub fn inspect(&self) -> Result<Inspection> {
        inspect::inspect(&self.snapshot(0)?)
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

    /// Returns whether the writer's thread runs.
    #[must_use]
    pub fn is_writing_possible(&self) -> bool {
        self.inner.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }

    fn file(&self) -> Result<Arc<DatabaseFile>> {
        self.inner.current.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::Closed)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.queue.take());
        // The last handle may go in what the writer itself calls when a commit is done; it ends by itself then.
        let is_writer = |writer: &std::thread::JoinHandle<()>| writer.thread().id() == std::thread::current().id();
        if let Some(writer) = self.writer.take()
            && !is_writer(&writer)
            && writer.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic; what was acknowledged is safe");
        }
    }
}
