//! Typed access to tables.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use crate::error::readable;
use crate::error::{Error, Result};
use crate::snapshot::{Direction, Snapshot};
use palabre_types::Key;
use palabre_types::TableId;
use palabre_types::{Batch, Millis, Op, Require};

/// A table of values `V` by key `K`.
///
/// Values are MessagePack with field names, so that a later version may add a field with a default.
pub struct Table<K, V> {
    id: TableId,
    types: PhantomData<fn(K) -> V>,
}

impl<K: Key, V: Serialize + DeserializeOwned> Table<K, V> {
    /// Creates the typed access to a table of the list.
    #[must_use]
    pub const fn new(id: TableId) -> Self {
        Self { id, types: PhantomData }
    }

    /// Adds to `batch` that `value` is written under `key`.
    pub fn put(&self, batch: &mut Batch, key: &K, value: &V) {
        self.put_until(batch, key, value, None);
    }

    /// Adds to `batch` that `value` is written under `key` and expires at `expires`.
    pub fn put_until(&self, batch: &mut Batch, key: &K, value: &V, expires: Option<Millis>) {
        batch.ops.push(Op::Put { table: self.id, key: key.to_bytes(), value: encode_value(value).into(), expires });
    }

    /// Adds to `batch` that the row of `key` is removed.
    pub fn delete(&self, batch: &mut Batch, key: &K) {
        batch.ops.push(Op::Delete { table: self.id, key: key.to_bytes() });
    }

    /// Adds to `batch` the condition that `key` has no row.
    pub fn require_absent(&self, batch: &mut Batch, key: &K) {
        batch.requires.push(Require::Absent { table: self.id, key: key.to_bytes() });
    }

    /// Adds to `batch` the condition that `key` has no row, or holds exactly `value`.
    pub fn require_absent_or_equals(&self, batch: &mut Batch, key: &K, value: &V) {
        batch.requires.push(Require::AbsentOrEquals {
            table: self.id,
            key: key.to_bytes(),
            value: encode_value(value),
        });
    }

    /// Adds to `batch` the condition that `key` holds exactly `value`.
    pub fn require_equals(&self, batch: &mut Batch, key: &K, value: &V) {
        batch.requires.push(Require::Equals { table: self.id, key: key.to_bytes(), value: encode_value(value) });
    }

    /// Returns the condition that `key` holds one of `values`.
    #[must_use]
    pub fn one_of(&self, key: &K, values: impl IntoIterator<Item = V>) -> Require {
        let values = values.into_iter().map(|value| encode_value(&value)).collect();
        Require::OneOf { table: self.id, key: key.to_bytes(), values }
    }

    /// Returns the value of `key`, unless there is none or it has expired.
    pub fn get(&self, snapshot: &Snapshot, key: &K) -> Result<Option<V>> {
        let key = key.to_bytes();
        let row = snapshot.get(self.id, &key)?;
        snapshot.recorded(row.map(|row| self.decode(&key, &row.value)).transpose())
    }

    /// Returns all rows whose encoded key starts with that of `prefix`, in order.
    pub fn scan<'s, P: Key>(
        &'s self,
        snapshot: &'s Snapshot,
        prefix: &P,
        direction: Direction,
    ) -> Result<impl Iterator<Item = Result<(K, V)>> + use<'s, P, K, V>> {
        Ok(snapshot.scan(self.id, &prefix.to_bytes(), None, direction)?.map(|row| snapshot.recorded(self.typed(row?))))
    }

    /// Scans like [`Table::scan`], from the row after `after` (before it when going backward).
    pub fn scan_after<'s, P: Key>(
        &'s self,
        snapshot: &'s Snapshot,
        prefix: &P,
        after: &K,
        direction: Direction,
    ) -> Result<impl Iterator<Item = Result<(K, V)>> + use<'s, P, K, V>> {
        Ok(snapshot
            .scan(self.id, &prefix.to_bytes(), Some(&after.to_bytes()), direction)?
            .map(|row| snapshot.recorded(self.typed(row?))))
    }

    fn typed(&self, (key, row): (Vec<u8>, crate::row::Row)) -> Result<(K, V)> {
        let typed = K::decode(&mut &key[..]).ok_or_else(|| Error::Row {
            table: self.id,
            key: readable(&key),
            cause: "the key has the wrong format".to_owned(),
        })?;
        Ok((typed, self.decode(&key, &row.value)?))
    }

    fn decode(&self, key: &[u8], value: &[u8]) -> Result<V> {
        decode_value(value).map_err(|cause| Error::Row { table: self.id, key: readable(key), cause })
    }
}

pub(crate) fn decode_value<V: DeserializeOwned>(value: &[u8]) -> std::result::Result<V, String> {
    rmp_serde::from_slice(value).map_err(|error| error.to_string())
}

/// Encodes a value.
///
/// Serialising into memory only fails if the type itself is wrong (a map with a non-scalar key),
/// which the first test of the table detects.
#[allow(clippy::expect_used, reason = "see above")]
pub(crate) fn encode_value<V: Serialize>(value: &V) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("values of tables serialise")
}
