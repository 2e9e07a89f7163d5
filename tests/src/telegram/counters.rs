//! Counters for tests.

use std::collections::BTreeMap;

use serde_json::Value;

/// A call that does not conform to Telegram's description or documentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// `sendMessage`
    pub method: String,
    /// The violated rule, and the place.
    pub reason: String,
    /// The parameters of the call.
    pub parameters: Value,
}

/// Counters since the start.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Updates that were added to the bot's queue.
    pub updates: u64,
    /// Updates that were delivered to the bot, each counted once.
    pub given: u64,
    /// Updates that were delivered again, because the bot had not confirmed them.
    pub duplicates: u64,
    /// Updates that the bot confirmed.
    pub confirmed: u64,
    /// Updates that were dropped without delivery: by a negative offset, or by `drop_pending_updates`.
    pub dropped: u64,
    /// Calls of `getUpdates` that another one ended.
    pub conflicts: u64,
    /// Posts to the webhook.
    pub webhook_posts: u64,
    /// Failed posts to the webhook.
    pub webhook_failures: u64,
    /// Calls by method: `sendMessage`.
    pub calls: BTreeMap<String, u64>,
    /// Calls that were answered with 429, except injected ones.
    pub overruns: u64,
    /// Calls that were made before a 429 allowed them; the overruns include them.
    pub hasty: u64,
    /// Injected faults.
    pub faults: u64,
    /// Accepted connections.
    pub connections: u64,
}
