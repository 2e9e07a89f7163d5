//! Applying a group of batches in one durable transaction.
//!
//! The changes of the group are collected first, so that a row that is written many times in it is
//! written once.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use palabre_types::{Batch, Key, Millis, Op, Require, TableId};
use redb::{Durability, ReadableTable, WriteTransaction};

use crate::counts::{self, Sums};
use crate::error::{Error, Result, readable};
use crate::file::DatabaseFile;
use crate::refused_parts;
use crate::row::Row;
use crate::snapshot::definition;
use crate::submission::{Applied, BatchIdentity, Submission};

type RedbResult<T> = std::result::Result<T, redb::Error>;

/// Applies the batches of a group in order in one durable transaction.
///
/// Returns the result of each, and the sums that have changed.
pub(crate) fn apply(file: &DatabaseFile, group: &[Submission]) -> Result<(Vec<Result<Applied>>, Sums)> {
    let failed = |error: redb::Error| Error::redb("write to", &file.path, error);
    let mut transaction = file.database()?.begin_write().map_err(|error| failed(error.into()))?;
    transaction.set_durability(Durability::Immediate).map_err(|error| failed(error.into()))?;
    let mut changes = Changes { transaction: &transaction, rows: HashMap::new() };
    let mut results = Vec::new();
    for submission in group {
        results.push(changes.add(submission).map_err(failed)?);
    }
    let sums = changes.write().map_err(failed)?;
    transaction.commit().map_err(|error| failed(error.into()))?;
    Ok((results, sums))
}

/// The rows that a group changes. Values are those of its batches, not copies.
struct Changes<'g> {
    transaction: &'g WriteTransaction,
    rows: HashMap<TableId, BTreeMap<Cow<'g, [u8]>, Option<NewRow<'g>>>>,
}

#[derive(Clone)]
struct NewRow<'g> {
    value: Cow<'g, [u8]>,
    expires: Option<Millis>,
}

/// A row as the batches before leave it.
struct Found<'r> {
    /// `None` if what is stored is not a row.
    value: Option<&'r [u8]>,
    expires: Option<Millis>,
}

impl<'g> Changes<'g> {
    /// Adds the changes of a batch, unless it is refused or in the file already. Returns its result.
    fn add(&mut self, submission: &'g Submission) -> RedbResult<Result<Applied>> {
        let Submission { batch, identity, .. } = submission;
        if let Some(BatchIdentity { number, is_applied }) = identity
            && self.check(is_applied)?.is_none()
        {
            let key = refused_parts::key(*number);
            let refused =
                self.read(TableId::Meta, &key, |row| refused_parts::of(*number, row.and_then(|row| row.value)))?;
            return Ok(Ok(Applied { refused }));
        }
        if let Some(refused) = self.refusal(batch)? {
            return Ok(Err(refused));
        }
        let applied = self.add_all(batch)?;
        if let Some(BatchIdentity { number, .. }) = identity
            && !applied.refused.is_empty()
        {
            let value = Cow::Owned(refused_parts::value(*number, &applied.refused));
            let row = NewRow { value, expires: None };
            self.set(TableId::Meta, refused_parts::key(*number), Some(row));
        }
        Ok(Ok(applied))
    }

    /// Returns the refusal if one of the batch's conditions does not hold.
    fn refusal(&self, batch: &Batch) -> RedbResult<Option<Error>> {
        batch.requires.iter().find_map(|require| self.check(require).transpose()).transpose()
    }

    /// Adds the changes of a batch, in order; those of a conditional part only if its conditions hold.
    fn add_all(&mut self, batch: &'g Batch) -> RedbResult<Applied> {
        let mut applied = Applied::default();
        let mut conditional = 0;
        for op in &batch.ops {
            let Op::Conditional(part) = op else {
                self.add_op(op)?;
                continue;
            };
            if self.refusal(part)?.is_some() {
                applied.refused.push(conditional);
            } else {
                self.add_all(part)?;
            }
            conditional += 1;
        }
        Ok(applied)
    }

    /// Returns the refusal if the condition does not hold.
    fn check(&self, require: &Require) -> RedbResult<Option<Error>> {
        let (table, key) = require.place();
        let holds = self.read(table, key, |row| {
            let value = row.as_ref().and_then(|row| row.value);
            match require {
                Require::Absent { .. } => row.is_none(),
                Require::AbsentOrEquals { value: wanted, .. } => row.is_none() || value == Some(wanted.as_slice()),
                Require::Equals { value: wanted, .. } => value == Some(wanted.as_slice()),
                Require::OneOf { values, .. } => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            }
        })?;
        Ok((!holds).then(|| Error::Refused { table, key: readable(key) }))
    }

    fn add_op(&mut self, op: &'g Op) -> RedbResult<()> {
        match op {
            Op::Put { table, key, value, expires } => {
                let row = NewRow { value: Cow::Borrowed(value), expires: *expires };
                self.set(*table, key, Some(row));
                if let Some(at) = expires {
                    self.set_expiry(*at, *table, key, true);
                }
            }
            Op::Delete { table, key } => self.set(*table, key, None),
            // Only at the top level of a batch: see `add_all`.
            Op::Conditional(part) => drop(self.add_all(part)?),
            Op::Expire { table, key, expires, at } => {
                self.set_expiry(*expires, *table, key, false);
                let end = self.read(*table, key, |row| row.and_then(|row| row.expires))?;
                if end.is_some_and(|end| end <= *at) {
                    self.set(*table, key, None);
                }
            }
            Op::Renew { table, key, expires, until } => {
                self.set_expiry(*expires, *table, key, false);
                let value = self.read(*table, key, |row| {
                    row.filter(|row| row.expires == Some(*expires)).and_then(|row| row.value).map(<[u8]>::to_vec)
                })?;
                if let Some(value) = value {
                    let row = NewRow { value: value.into(), expires: Some(*until) };
                    self.set(*table, key, Some(row));
                    self.set_expiry(*until, *table, key, true);
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, table: TableId, key: impl Into<Cow<'g, [u8]>>, row: Option<NewRow<'g>>) {
        self.rows.entry(table).or_default().insert(key.into(), row);
    }

    /// Adds a row to the expiry index, or removes it.
    fn set_expiry(&mut self, at: Millis, table: TableId, key: &[u8], is_present: bool) {
        let row = NewRow { value: Cow::Borrowed(&[]), expires: None };
        self.set(TableId::Expiry, expiry_key(at, table, key), is_present.then_some(row));
    }

    /// Passes `with` a row as the batches before leave it.
    fn read<T>(&self, table: TableId, key: &[u8], with: impl FnOnce(Option<Found<'_>>) -> T) -> RedbResult<T> {
        if let Some(changed) = self.rows.get(&table).and_then(|rows| rows.get(key)) {
            return Ok(with(changed.as_ref().map(|row| Found { value: Some(&row.value), expires: row.expires })));
        }
        let open = self.transaction.open_table(definition(table))?;
        let stored = open.get(key)?;
        Ok(with(stored.as_ref().map(|stored| {
            let row = Row::split(stored.value());
            Found { value: row.map(|(value, _)| value), expires: row.and_then(|(_, expires)| expires) }
        })))
    }

    /// Writes all changes, and the sums that they change.
    fn write(self) -> RedbResult<Sums> {
        let mut sums = counts::Changes::default();
        let mut encoded = Vec::new();
        for (table, rows) in self.rows {
            let mut open = self.transaction.open_table(definition(table))?;
            for (key, row) in rows {
                encoded.clear();
                let old = match &row {
                    Some(row) => {
                        Row::encode_into(&mut encoded, &row.value, row.expires);
                        open.insert(&*key, encoded.as_slice())?
                    }
                    None => open.remove(&*key)?,
                };
                if table == counts::COUNTED {
                    let new = row.is_some().then_some(encoded.as_slice());
                    sums.record(&key, old.as_ref().map(|old| old.value()), new);
                }
            }
        }
        sums.write(self.transaction)
    }
}

/// Returns the key in the expiry index: expiry, table and key of the row.
pub(crate) fn expiry_key(at: u64, table: TableId, key: &[u8]) -> Vec<u8> {
    (at, table as u8, key.to_vec()).to_bytes()
}
