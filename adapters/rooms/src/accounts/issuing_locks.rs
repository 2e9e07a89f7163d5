//! Locks that keep the number of an account's credentials from changing while it is counted.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// Number of locks that all accounts share.
const LOCKS: usize = 64;

/// Locks under which the credentials of an account are counted and added, one at a time.
///
/// The conditions of a batch compare single rows, and cannot compare their number.
#[derive(Debug)]
pub(crate) struct IssuingLocks {
    hasher: RandomState,
    locks: [Mutex<()>; LOCKS],
}

impl Default for IssuingLocks {
    fn default() -> Self {
        Self { hasher: RandomState::new(), locks: [const { Mutex::const_new(()) }; LOCKS] }
    }
}

impl IssuingLocks {
    pub(super) async fn lock(&self, account: &str) -> MutexGuard<'_, ()> {
        let index = self.hasher.hash_one(account) as usize % LOCKS;
        self.locks[index].lock().await
    }
}
