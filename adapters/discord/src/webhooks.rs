//! The bot's webhooks that are known so far.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The known webhooks by channel, with id and token.
#[derive(Default)]
pub(crate) struct Webhooks(Mutex<HashMap<u64, (u64, String)>>);

impl Webhooks {
    pub(crate) fn is_known(&self, channel: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&channel)
    }

    pub(crate) fn get(&self, channel: u64) -> Option<(u64, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&channel).cloned()
    }

    pub(crate) fn put(&self, channel: u64, webhook: (u64, String)) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(channel, webhook);
    }

    pub(crate) fn forget(&self, channel: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&channel);
    }
}
