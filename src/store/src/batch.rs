//! What a commit is made of.

use serde::{Deserialize, Serialize};

use crate::TableId;

/// Milliseconds since the Unix epoch, UTC.
pub type Millis = u64;

/// One change to one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Writes a row, over the old one if there is one.
    Put {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
        /// The encoded value.
        value: Vec<u8>,
        /// When the row ceases to be; `None` is never.
        expires: Option<Millis>,
    },
    /// Removes a row if it is there.
    Delete {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
    },
    /// Removes a row if its time was over at `at`. The sweeper's: the time is data, so that applying stays deterministic.
    Expire {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
        /// The expiry that the sweeper found in the index.
        expires: Millis,
        /// The moment of the sweep.
        at: Millis,
    },
    /// Moves the end of a row, if it is still the one that was found in the index.
    Renew {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
        /// The expiry that was found.
        expires: Millis,
        /// When the row ceases to be from now on.
        until: Millis,
    },
}

/// A condition on one row, checked when the batch is applied, after all batches before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Require {
    /// There is no such row.
    Absent {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
    },
    /// The row is there with exactly this value.
    Equals {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
        /// The encoded value.
        value: Vec<u8>,
    },
    /// The row is there with one of these values.
    OneOf {
        /// The table.
        table: TableId,
        /// The encoded key.
        key: Vec<u8>,
        /// The encoded values.
        values: Vec<Vec<u8>>,
    },
}

impl Require {
    pub(crate) fn place(&self) -> (TableId, &[u8]) {
        match self {
            Self::Absent { table, key } | Self::Equals { table, key, .. } | Self::OneOf { table, key, .. } => {
                (*table, key)
            }
        }
    }
}

/// Changes that happen together or not at all. When one of `requires` does not hold, the whole batch is refused, alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Conditions, all checked before the first change.
    pub requires: Vec<Require>,
    /// Changes, in order: a later one on the same key wins.
    pub ops: Vec<Op>,
}

impl Batch {
    /// True when there is nothing to do and nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.requires.is_empty()
    }

    /// Appends all of `other`, conditions too.
    pub fn append(&mut self, mut other: Self) {
        self.requires.append(&mut other.requires);
        self.ops.append(&mut other.ops);
    }
}
