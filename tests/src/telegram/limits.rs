//! The rate limits, each a sliding window of messages.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::server::limits::{Forbidden, Limit};

/// The limits. An album counts with all of its messages; edits count for the overall limit only.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For all chats together: 30 per second.
    pub overall: Limit,
    /// For one chat. Telegram documents one per second and tolerates short bursts, so it is 5 in 5 seconds.
    pub chat: Limit,
    /// For a group, a supergroup or a channel: 20 per minute.
    pub group: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self { overall: Limit::new(30, 1_000), chat: Limit::new(5, 5_000), group: Limit::new(20, 60_000) }
    }
}

impl Limits {
    /// No limits.
    #[must_use]
    pub fn none() -> Self {
        Self { overall: Limit::NONE, chat: Limit::NONE, group: Limit::NONE }
    }

    /// The same numbers in times shortened by a factor, so that a test need not take minutes.
    #[must_use]
    pub fn scaled(self, scale: f64) -> Self {
        let Self { overall, chat, group } = self;
        Self { overall: overall.scaled(scale), chat: chat.scaled(scale), group: group.scaled(scale) }
    }
}

/// The times at which messages were sent, by limit.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    pub(super) sent: HashMap<String, VecDeque<Instant>>,
    /// The period in which a 429 forbids messages, by chat.
    pub(super) forbidden: HashMap<i64, Forbidden>,
}

impl Pacing {
    /// The time until `count` more messages are allowed.
    pub(super) fn wait(&mut self, key: &str, limit: Limit, count: usize, now: Instant) -> Option<Duration> {
        let sent = self.sent.entry(key.to_owned()).or_default();
        while sent.front().is_some_and(|at| *at + limit.per <= now) {
            sent.pop_front();
        }
        let max = usize::try_from(limit.count).unwrap_or(usize::MAX);
        let excess = (sent.len() + count).checked_sub(max).filter(|excess| *excess > 0)?;
        let last = sent.get(excess - 1).or(sent.back())?;
        Some(*last + limit.per - now)
    }
}
