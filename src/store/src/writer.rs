//! The writer thread: applies all queued batches in one durable transaction, then answers them.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use redb::{Durability, ReadableTable};
use tokio::sync::oneshot;

use crate::counts::{self, Sums, Watched};
use crate::damage::Damage;
use crate::error::readable;
use crate::error::{Error, Result};
use crate::file::{DatabaseFile, Source};
use crate::panics;
use crate::refused_parts;
use crate::row::Row;
use crate::snapshot::definition;
use crate::stats::Counters;
use palabre_types::Key;
use palabre_types::TableId;
use palabre_types::{Batch, Op, Require};

/// The number of operations that closes a group, which bounds the memory and duration of a commit.
const GROUP_OPS_MAX: usize = 65_536;

/// A batch that was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The conditional parts whose conditions did not hold, by their position among all of them.
    pub refused: Vec<usize>,
}

/// The identity of a batch that may be submitted again after a commit that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchIdentity {
    /// Its number. Batches are numbered in the order in which they are applied.
    pub number: u64,
    /// A condition that holds from the batch on, and not before it.
    pub is_applied: Require,
}

/// The pending result of a commit.
///
/// Dropping it does not withdraw the batch.
#[derive(Debug)]
pub struct Ticket(pub(crate) oneshot::Receiver<Result<()>>);

impl Ticket {
    /// Blocks until the batch is durable or refused. In async code, await the ticket instead.
    pub fn wait(self) -> Result<()> {
        self.0.blocking_recv().unwrap_or(Err(Error::Closed))
    }
}

impl Future for Ticket {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(Error::Closed)))
    }
}

pub(crate) struct Submission {
    pub(crate) batch: Batch,
    pub(crate) identity: Option<BatchIdentity>,
    pub(crate) answer: Answer,
}

/// The recipient of a commit's result.
pub(crate) enum Answer {
    Ticket(oneshot::Sender<Result<()>>),
    /// A callback on the writer's thread, which gets the batch back.
    Then(Box<dyn FnOnce(Batch, Result<Applied>) + Send>),
}

impl Submission {
    fn complete(self, result: Result<Applied>) {
        match self.answer {
            // A caller that has dropped its ticket needs no result.
            Answer::Ticket(sender) => drop(sender.send(result.map(drop))),
            Answer::Then(then) => then(self.batch, result),
        }
    }
}

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

type Changes = HashMap<TableId, BTreeMap<Vec<u8>, Option<Vec<u8>>>>;

/// Applies the batches of a group in order in one durable transaction.
///
/// Returns the result of each, and the sums that have changed.
fn apply(file: &DatabaseFile, group: &[Submission]) -> Result<(Vec<Result<Applied>>, Sums)> {
    let failed = |error: redb::Error| Error::redb("write to", &file.path, error);
    let mut transaction = file.database()?.begin_write().map_err(|error| failed(error.into()))?;
    transaction.set_durability(Durability::Immediate).map_err(|error| failed(error.into()))?;
    let mut changes = Changes::new();
    let mut results = Vec::new();
    for submission in group {
        results.push(apply_one(&transaction, &mut changes, submission).map_err(failed)?);
    }
    let sums = write(&transaction, changes).map_err(failed)?;
    transaction.commit().map_err(|error| failed(error.into()))?;
    Ok((results, sums))
}

/// Collects the changes of a batch, unless it is refused or in the file already. Returns its result.
fn apply_one(
    transaction: &redb::WriteTransaction,
    changes: &mut Changes,
    submission: &Submission,
) -> std::result::Result<Result<Applied>, redb::Error> {
    let Submission { batch, identity, .. } = submission;
    if let Some(BatchIdentity { number, is_applied }) = identity
        && check(transaction, changes, is_applied)?.is_none()
    {
        let row = read(transaction, changes, TableId::Meta, &refused_parts::key(*number))?;
        return Ok(Ok(Applied { refused: refused_parts::of(*number, row.as_deref()) }));
    }
    if let Some(refused) = refusal(transaction, changes, batch)? {
        return Ok(Err(refused));
    }
    let applied = collect_all(transaction, changes, batch)?;
    if let Some(BatchIdentity { number, .. }) = identity
        && !applied.refused.is_empty()
    {
        let row = refused_parts::row(*number, &applied.refused);
        set(changes, TableId::Meta, &refused_parts::key(*number), Some(row));
    }
    Ok(Ok(applied))
}

/// Returns the refusal if one of the batch's conditions does not hold.
fn refusal(
    transaction: &redb::WriteTransaction,
    changes: &Changes,
    batch: &Batch,
) -> std::result::Result<Option<Error>, redb::Error> {
    batch.requires.iter().find_map(|require| check(transaction, changes, require).transpose()).transpose()
}

/// Collects the changes of a batch, in order; those of a conditional part only if its conditions hold.
fn collect_all(
    transaction: &redb::WriteTransaction,
    changes: &mut Changes,
    batch: &Batch,
) -> std::result::Result<Applied, redb::Error> {
    let mut applied = Applied::default();
    let mut conditional = 0;
    for op in &batch.ops {
        let Op::Conditional(part) = op else {
            collect(transaction, changes, op)?;
            continue;
        };
        if refusal(transaction, changes, part)?.is_some() {
            applied.refused.push(conditional);
        } else {
            collect_all(transaction, changes, part)?;
        }
        conditional += 1;
    }
    Ok(applied)
}

/// Returns the refusal if the condition does not hold.
fn check(
    transaction: &redb::WriteTransaction,
    changes: &Changes,
    require: &Require,
) -> std::result::Result<Option<Error>, redb::Error> {
    let (table, key) = require.place();
    let found = read(transaction, changes, table, key)?;
    let value = found.as_deref().and_then(Row::split).map(|(value, _)| value);
    let holds = match require {
        Require::Absent { .. } => found.is_none(),
        Require::AbsentOrEquals { value: wanted, .. } => found.is_none() || value == Some(wanted.as_slice()),
        Require::Equals { value: wanted, .. } => value == Some(wanted.as_slice()),
        Require::OneOf { values, .. } => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
    };
    Ok((!holds).then(|| Error::Refused { table, key: readable(key) }))
}

fn collect(
    transaction: &redb::WriteTransaction,
    changes: &mut Changes,
    op: &Op,
) -> std::result::Result<(), redb::Error> {
    match op {
        Op::Put { table, key, value, expires } => {
            set(changes, *table, key, Some(Row::encode(value, *expires)));
            if let Some(at) = expires {
                set(changes, TableId::Expiry, &expiry_key(*at, *table, key), Some(Row::encode(&[], None)));
            }
        }
        Op::Delete { table, key } => set(changes, *table, key, None),
        // Only at the top level of a batch: see `collect_all`.
        Op::Conditional(part) => drop(collect_all(transaction, changes, part)?),
        Op::Expire { table, key, expires, at } => {
            set(changes, TableId::Expiry, &expiry_key(*expires, *table, key), None);
            let found = read(transaction, changes, *table, key)?;
            let over = found.as_deref().and_then(Row::split).and_then(|(_, expires)| expires);
            if over.is_some_and(|end| end <= *at) {
                set(changes, *table, key, None);
            }
        }
        Op::Renew { table, key, expires, until } => {
            set(changes, TableId::Expiry, &expiry_key(*expires, *table, key), None);
            let found = read(transaction, changes, *table, key)?;
            if let Some((value, end)) = found.as_deref().and_then(Row::split)
                && end == Some(*expires)
            {
                let row = Row::encode(value, Some(*until));
                set(changes, *table, key, Some(row));
                set(changes, TableId::Expiry, &expiry_key(*until, *table, key), Some(Row::encode(&[], None)));
            }
        }
    }
    Ok(())
}

fn set(changes: &mut Changes, table: TableId, key: &[u8], row: Option<Vec<u8>>) {
    changes.entry(table).or_default().insert(key.to_vec(), row);
}

fn read(
    transaction: &redb::WriteTransaction,
    changes: &Changes,
    table: TableId,
    key: &[u8],
) -> std::result::Result<Option<Vec<u8>>, redb::Error> {
    if let Some(changed) = changes.get(&table).and_then(|rows| rows.get(key)) {
        return Ok(changed.clone());
    }
    let open = transaction.open_table(definition(table))?;
    Ok(open.get(key)?.map(|found| found.value().to_vec()))
}

fn write(transaction: &redb::WriteTransaction, changes: Changes) -> std::result::Result<Sums, redb::Error> {
    let mut sums = counts::Changes::default();
    for (table, rows) in changes {
        let mut open = transaction.open_table(definition(table))?;
        for (key, row) in rows {
            let old = match &row {
                Some(row) => open.insert(key.as_slice(), row.as_slice())?,
                None => open.remove(key.as_slice())?,
            };
            if table == counts::COUNTED {
                sums.record(&key, old.as_ref().map(|old| old.value()), row.as_deref());
            }
        }
    }
    sums.write(transaction)
}

/// Returns the key in the expiry index: expiry, table and key of the row.
pub(crate) fn expiry_key(at: u64, table: TableId, key: &[u8]) -> Vec<u8> {
    (at, table as u8, key.to_vec()).to_bytes()
}
