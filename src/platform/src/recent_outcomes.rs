//! The outcomes of recent actions, so that a repetition under the same key changes nothing.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use palabre_types::{ActionKey, Outcome};

/// Maximum number of outcomes that are kept.
const OUTCOMES_MAX: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// The outcomes of recent actions.
pub struct RecentOutcomes(Mutex<LruCache<ActionKey, Outcome>>);

impl Default for RecentOutcomes {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(OUTCOMES_MAX)))
    }
}

impl RecentOutcomes {
    /// Returns the outcome of an action that was performed under this key.
    pub fn get(&self, key: &ActionKey) -> Option<Outcome> {
        self.lock().get(key).cloned()
    }

    /// Records that an action was performed.
    pub fn record(&self, key: &ActionKey, outcome: &Outcome) {
        self.lock().put(key.clone(), outcome.clone());
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ActionKey, Outcome>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
