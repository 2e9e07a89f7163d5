//! Counters for tests.

use std::collections::BTreeMap;

use serde_json::Value;

/// A call that does not fit what Telegram describes or documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// `sendMessage`
    pub method: String,
    /// The violated rule, and the place.
    pub reason: String,
    /// The body of the call.
    pub parameters: Value,
}

/// Counters since the start.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Updates that were put into the bot's queue.
    pub updates: u64,
    /// Updates that were given to the bot, each counted once.
    pub given: u64,
    /// Updates that were given to the bot once more, since it had not confirmed them.
    pub duplicates: u64,
    /// Updates that the bot confirmed.
    pub confirmed: u64,
    /// Updates that were dropped unseen: with a negative offset, or with `drop_pending_updates`.
    pub dropped: u64,
    /// Calls of `getUpdates` that another one ended.
    pub conflicts: u64,
    /// Posts to the webhook, and how many of them failed.
    pub webhook_posts: u64,
    /// See `webhook_posts`.
    pub webhook_failures: u64,
    /// Calls by method: `sendMessage`.
    pub calls: BTreeMap<String, u64>,
    /// Calls that were answered with 429, those on purpose apart.
    pub overruns: u64,
    /// Calls that came before a 429 allowed them; they are among the overruns.
    pub hasty: u64,
    /// Injected faults.
    pub faults: u64,
    /// Connections that were taken.
    pub connections: u64,
    pub(super) violations: Vec<Violation>,
    pub(super) own_misfits: Vec<String>,
}
