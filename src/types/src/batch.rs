//! Batches: the unit of a commit.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::catalogue::TableId;
use crate::time::Millis;

/// A change to one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Writes a row, replacing an older one.
    Put {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The encoded value.
        value: Bytes,
        /// The time at which the row expires; `None`: never.
        expires: Option<Millis>,
    },
    /// Removes a row if it exists.
    Delete {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
    },
    /// Removes a row if it had expired at `at`.
    ///
    /// Used by the sweep. The time is part of the operation, so that applying it stays
    /// deterministic.
    Expire {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The expiry that the sweep found in the index.
        expires: Millis,
        /// The time of the sweep.
        at: Millis,
    },
    /// Changes the expiry of a row, if it is still the one found in the index.
    Renew {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The expiry found in the index.
        expires: Millis,
        /// The new expiry.
        until: Millis,
    },
    /// Applies the changes of a batch if its conditions hold, and none of them otherwise.
    ///
    /// The conditions see the changes before it. The batch around it is applied in either case.
    Conditional(Batch),
}

impl Op {
    /// Whether the change is of a table whose rows are in the journal too.
    #[must_use]
    pub fn is_journalled(&self) -> bool {
        match self {
            Self::Put { table, .. }
            | Self::Delete { table, .. }
            | Self::Expire { table, .. }
            | Self::Renew { table, .. } => table.is_journalled(),
            Self::Conditional(batch) => batch.is_journalled(),
        }
    }
}

/// A condition on one row, checked after all earlier batches have been applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Require {
    /// The row does not exist.
    Absent {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
    },
    /// The row does not exist, or exists with exactly this value.
    ///
    /// So that a batch that was applied before holds again.
    AbsentOrEquals {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The encoded value.
        #[serde(with = "serde_bytes")]
        value: Vec<u8>,
    },
    /// The row exists with exactly this value.
    Equals {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The encoded value.
        #[serde(with = "serde_bytes")]
        value: Vec<u8>,
    },
    /// The row exists with one of these values.
    OneOf {
        /// The table.
        table: TableId,
        /// The encoded key.
        #[serde(with = "serde_bytes")]
        key: Vec<u8>,
        /// The encoded values.
        values: Vec<Vec<u8>>,
    },
}

impl Require {
    /// Returns the table and the encoded key that the condition is about.
    #[must_use]
    pub fn place(&self) -> (TableId, &[u8]) {
        match self {
            Self::Absent { table, key }
            | Self::AbsentOrEquals { table, key, .. }
            | Self::Equals { table, key, .. }
            | Self::OneOf { table, key, .. } => (*table, key),
        }
    }
}

/// An atomic set of changes.
///
/// If one of `requires` does not hold, the batch is refused as a whole; other batches are not
/// affected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Conditions, all checked before the first change.
    pub requires: Vec<Require>,
    /// Changes, in order: a later one to the same key wins.
    pub ops: Vec<Op>,
}

impl Batch {
    /// True when there are no changes and no conditions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.requires.is_empty()
    }

    /// Whether all changes are of tables whose rows are in the journal too.
    #[must_use]
    pub fn is_journalled(&self) -> bool {
        self.ops.iter().all(Op::is_journalled)
    }

    /// Returns the part of the batch that is in the journal too.
    #[must_use]
    pub fn journalled(&self) -> Self {
        let ops = self.ops.iter().filter(|op| op.is_journalled()).cloned().collect();
        Self { requires: self.requires.clone(), ops }
    }

    /// Appends the changes and conditions of `other`.
    pub fn append(&mut self, mut other: Self) {
        self.requires.append(&mut other.requires);
        self.ops.append(&mut other.ops);
    }
}
