//! Permits for a limited resource, counted by key.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the permits in use, by key and in total.
pub(crate) struct Permits<K>(Mutex<Taken<K>>);

struct Taken<K> {
    by_key: HashMap<K, usize>,
    in_all: usize,
}

/// A permit in use; dropping it returns it.
pub(crate) struct Permit<K: Eq + Hash> {
    of: Arc<Permits<K>>,
    key: K,
}

impl<K> Default for Permits<K> {
    fn default() -> Self {
        Self(Mutex::new(Taken { by_key: HashMap::new(), in_all: 0 }))
    }
}

impl<K: Clone + Eq + Hash> Permits<K> {
    /// Takes a permit, unless `limit` permits of that key are in use; 0 disables the limit.
    pub(crate) fn take(self: &Arc<Self>, key: K, limit: usize) -> Option<Permit<K>> {
        let mut taken = self.lock();
        let held = taken.by_key.get(&key).copied().unwrap_or_default();
        if limit > 0 && held >= limit {
            return None;
        }
        taken.by_key.insert(key.clone(), held + 1);
        taken.in_all += 1;
        Some(Permit { of: Arc::clone(self), key })
    }
}

impl<K> Permits<K> {
    /// Number of permits in use.
    pub(crate) fn taken(&self) -> usize {
        self.lock().in_all
    }

    fn lock(&self) -> MutexGuard<'_, Taken<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Permit<K> {
    fn drop(&mut self) {
        let mut taken = self.of.lock();
        taken.in_all = taken.in_all.saturating_sub(1);
        let Some(held) = taken.by_key.get_mut(&self.key) else { return };
        *held = held.saturating_sub(1);
        if *held == 0 {
            taken.by_key.remove(&self.key);
        }
    }
}
