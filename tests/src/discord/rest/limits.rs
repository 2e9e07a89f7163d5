//! Rate limits, and the buckets that count calls against them.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::server::limits::{Forbidden, Limit};

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
        Self { global: Limit::NONE, others: Limit::NONE, named: HashMap::new() }
    }
}

/// The calls of a bucket in the current period.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) since: Instant,
    pub(super) used: u32,
    /// The period in which a 429 forbids calls.
    pub(super) forbidden: Option<Forbidden>,
}

/// The buckets in use.
#[derive(Debug, Default)]
pub(in crate::discord) struct Buckets {
    pub(super) windows: HashMap<String, Window>,
}
