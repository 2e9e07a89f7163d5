//! Rate limits, and the buckets that count calls against them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// A number of calls in a time.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Calls.
    pub calls: u32,
    /// The time, from the first call.
    pub per: Duration,
}

impl Limit {
    /// A number of calls in a number of milliseconds.
    #[must_use]
    pub const fn new(calls: u32, millis: u64) -> Self {
        Self { calls, per: Duration::from_millis(millis) }
    }
}

/// The limits by operation.
///
/// Discord publishes none. These have the size of those that were observed, and may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For all calls with the bot's token together, except interactions.
    pub global: Limit,
    /// For operations that are not listed.
    pub others: Limit,
    /// By the name of the bucket; see `bucket` in `pace.rs`.
    pub named: HashMap<&'static str, Limit>,
}

impl Default for Limits {
    fn default() -> Self {
        let named = HashMap::from([
            ("create_message", Limit::new(5, 2_000)),
            ("update_message", Limit::new(5, 2_000)),
            ("delete_message", Limit::new(5, 1_000)),
            ("reactions", Limit::new(1, 250)),
            ("webhook", Limit::new(5, 2_000)),
        ]);
        Self { global: Limit::new(50, 1_000), others: Limit::new(10, 1_000), named }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub fn none() -> Self {
        let all = Limit::new(u32::MAX, 1);
        Self { global: all, others: all, named: HashMap::new() }
    }
}

/// The calls of a bucket in the current period.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) since: Instant,
    pub(super) used: u32,
    /// The period in which a 429 forbids calls.
    pub(super) forbidden: Option<(Instant, Instant)>,
}

/// The buckets in use.
#[derive(Debug, Default)]
pub(in crate::discord) struct Buckets {
    pub(super) windows: HashMap<String, Window>,
}
