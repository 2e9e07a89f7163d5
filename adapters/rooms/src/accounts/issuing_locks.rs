//! Locks that keep the number of an account's credentials from changing while it is counted.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

/// Number of locks that all accounts share.
const LOCKS: usize = 64;
/// Maximum wait for a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Takes the lock of an account; `None` if that takes too long.
    pub(super) async fn lock(&self, account: &str) -> Option<MutexGuard<'_, ()>> {
        let index = self.hasher.hash_one(account) as usize % LOCKS;
        // While the store refuses writes, the one that holds the lock waits for it.
        tokio::time::timeout(LOCK_TIMEOUT, self.locks[index].lock()).await.ok()
    }
}
