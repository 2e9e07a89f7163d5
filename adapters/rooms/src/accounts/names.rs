//! The names of all accounts, in memory: whether a guest may take a name is decided without waiting.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use palabre_store::{Direction, Result, Store};
use palabre_text::skeleton;

use super::rows::NAMES;

/// The hashes of the names' skeletons: 8 bytes for each account.
#[derive(Debug, Default)]
pub(crate) struct AccountNames {
    hasher: RandomState,
    known: RwLock<HashSet<u64>>,
}

impl AccountNames {
    /// Reads the names of all accounts.
    pub(crate) fn load(&self, store: &Store) -> Result<()> {
        let snapshot = store.snapshot(0)?;
        let shapes = NAMES.scan(&snapshot, &Vec::new(), Direction::Forward)?;
        let known = shapes.map(|row| row.map(|(shape, _)| self.hash(&shape))).collect::<Result<_>>()?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Adds a name. Returns whether it was new.
    pub(crate) fn add(&self, username: &str) -> bool {
        let hash = self.hash(&skeleton(username));
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(hash)
    }

    pub(crate) fn remove(&self, username: &str) {
        let hash = self.hash(&skeleton(username));
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&hash);
    }

    /// Whether the name, or one that looks like it, belongs to an account.
    pub(crate) fn contains(&self, username: &str) -> bool {
        let hash = self.hash(&skeleton(username));
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(&hash)
    }

    fn hash(&self, shape: &str) -> u64 {
        self.hasher.hash_one(shape)
    }
}
