//! The queue of updates for the bot.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

/// Updates that a bot receives only on request.
const ON_REQUEST: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// An unconfirmed update.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: i64,
    pub(super) since: u64,
    pub(super) update: Value,
    pub(super) given: bool,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) random: StdRng,
    pub(super) next: i64,
    pub(super) pending: VecDeque<Pending>,
    /// The requested kinds; none for the default.
    pub(super) allowed: Option<Vec<String>>,
    /// Incremented by every `getUpdates`, which ends an older one.
    pub(super) poll: u64,
}

impl Queue {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(3));
        let next = random.random_range(100_000_000..900_000_000);
        Self { random, next, pending: VecDeque::new(), allowed: None, poll: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether the bot requested this kind of update.
    pub(super) fn wants(&self, kind: &str) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.iter().any(|one| one == kind),
            None => !ON_REQUEST.contains(&kind),
        }
    }

    /// Sets the requested kinds; an empty list is the default.
    pub(super) fn allow(&mut self, kinds: &Value) {
        if let Some(list) = kinds.as_array() {
            let names: Vec<_> = list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            self.allowed = Some(names).filter(|names| !names.is_empty());
        }
    }
}
