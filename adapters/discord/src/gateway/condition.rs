//! The bot's condition, derived from those of its shards: up once all of them are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use palabre_platform::Condition;
use tokio::sync::watch;

/// Collects the conditions of the shards of one bot.
pub(super) struct ShardConditions {
    condition: watch::Sender<Condition>,
    /// The shards that are not up, with the reason; `None` for one that has not connected yet.
    missing: Mutex<BTreeMap<u32, Option<String>>>,
}

impl ShardConditions {
    /// Creates the conditions of shards that have not connected yet.
    pub(super) fn new(condition: &watch::Sender<Condition>, shards: impl Iterator<Item = u32>) -> Self {
        let missing = shards.map(|shard| (shard, None)).collect();
        Self { condition: condition.clone(), missing: Mutex::new(missing) }
    }

    /// Records that a shard is connected.
    pub(super) fn up(&self, shard: u32) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.remove(&shard);
        if missing.is_empty() {
            self.condition.send_replace(Condition::Up);
        } else if let Some(reason) = missing.values().flatten().next() {
            self.condition.send_replace(Condition::Down(reason.clone()));
        }
    }

    /// Records that a shard has lost its connection, and why.
    pub(super) fn down(&self, shard: u32, reason: &str) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.insert(shard, Some(reason.to_owned()));
        self.condition.send_replace(Condition::Down(reason.to_owned()));
    }
}
