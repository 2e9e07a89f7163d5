//! The writer thread: applies all queued batches in one durable transaction, then answers them.

use std::sync::mpsc::{Receiver, RecvError};
use std::sync::{Arc, PoisonError, RwLock};

use crate::apply::apply;
use crate::counts::{Sums, Watched};
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::file::{DatabaseFile, Source};
use crate::panics;
use crate::stats::Counters;
use crate::submission::{Applied, Submission};

/// The number of operations that closes a group, which bounds the memory and duration of a commit.
const GROUP_OPS_MAX: usize = 65_536;

/// The file while it is usable.
///
/// `None` after the disk failed, until it is reopened, and once the store is closed.
pub(crate) type CurrentFile = Arc<RwLock<Option<DatabaseFile>>>;

pub(crate) struct Writer {
    pub(crate) source: Source,
    pub(crate) current: CurrentFile,
    pub(crate) counters: Arc<Counters>,
    pub(crate) sums: Arc<Watched>,
    pub(crate) damage: Arc<Damage>,
    /// Whether the disk failed. The file is then closed, and reopened by the next write.
    pub(crate) is_broken: bool,
}

impl Writer {
    /// Runs until all senders are dropped and the queue is empty.
    pub(crate) fn run(mut self, queue: &Receiver<Submission>) {
        loop {
            let mut group = match queue.recv() {
                Ok(first) => vec![first],
                Err(RecvError) => return,
            };
            let mut ops = group[0].batch.ops.len();
            while ops < GROUP_OPS_MAX
                && let Ok(next) = queue.try_recv()
            {
                ops += next.batch.ops.len();
                group.push(next);
            }
            self.counters.set_writing(true);
            self.commit(group);
            self.counters.set_writing(false);
        }
    }

    fn commit(&mut self, group: Vec<Submission>) {
        let results = match self.write(&group) {
            Ok((results, sums)) => {
                self.counters.record_group(group.len());
                self.sums.publish(sums);
                results
            }
            Err(error) => {
                if error.is_temporary() {
                    // redb trusts nothing after a failed write, and neither do we. Reads fail too
                    // until it is reopened.
                    self.is_broken = true;
                    drop(self.put_current(None));
                }
                vec![Err(error); group.len()]
            }
        };
        for (submission, result) in group.into_iter().zip(results) {
            submission.complete(result);
        }
    }

    /// Writes a group in one transaction. Reopens the file first if the disk had failed.
    fn write(&mut self, group: &[Submission]) -> Result<(Vec<Result<Applied>>, Sums)> {
        if self.is_broken {
            let file = self.source.reopen(&self.damage)?;
            tracing::debug!(path = %file.path.display(), "the store was reopened after an error");
            drop(self.put_current(Some(file)));
            self.is_broken = false;
        }
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let file = current.as_ref().ok_or(Error::Closed)?;
        let applied = panics::catch(|| apply(file, group));
        applied.unwrap_or_else(|panic| Err(Error::panicked(&file.path, panic.as_ref())))
    }

    fn put_current(&self, file: Option<DatabaseFile>) -> Option<DatabaseFile> {
        std::mem::replace(&mut *self.current.write().unwrap_or_else(PoisonError::into_inner), file)
    }
}
