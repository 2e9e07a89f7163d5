//! The outbox of one bot: its quota, how many of its entries are in memory, and what is retried on its own.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_model::Millis;
use palabre_script::Limit;

use super::breaker::Breaker;
use super::entry::{ChainId, Class};
use crate::recovery::Position;

/// At most so many entries of a bot and class are in memory: what one full block may bring. The rest are rows.
pub(crate) const IN_MEMORY: usize = 8_192;

/// How much may wait to be done by one bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Actions that wait.
    pub actions: usize,
    /// Their size in bytes.
    pub bytes: usize,
    /// How long an answer may wait before it is dropped, in milliseconds.
    pub answers_expire: Millis,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { actions: 250_000, bytes: 64 << 20, answers_expire: 3_600_000 }
    }
}

#[derive(Default)]
pub(crate) struct BotOutbox {
    pub(crate) limits: OutboxLimits,
    pub(crate) breaker: Breaker,
    actions: AtomicUsize,
    bytes: AtomicUsize,
    queues: [Mutex<Queue>; 2],
    chains: Mutex<HashMap<ChainId, VecDeque<(Position, u32)>>>,
}

/// The entries of one class.
#[derive(Default)]
pub(crate) struct Queue {
    pub(crate) in_memory: usize,
    /// Rows that are not in memory.
    pub(crate) spilled: usize,
    /// Rows that are.
    pub(crate) loaded: HashSet<Position>,
    pub(crate) is_loading: bool,
}

impl BotOutbox {
    pub(crate) fn new(limits: OutboxLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Counts an action against the quota.
    pub(crate) fn take_in(&self, bytes: usize) {
        self.actions.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Gives its part of the quota back.
    pub(crate) fn give_back(&self, bytes: usize) {
        // Less than nothing would be a bug, and must not lock the bot up for good.
        let less = |count: &AtomicUsize, by| {
            let _before = count.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(by)));
        };
        less(&self.actions, 1);
        less(&self.bytes, bytes);
    }

    /// Actions that wait, and their bytes.
    pub(crate) fn usage(&self) -> (usize, usize) {
        (self.actions.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Returns the limit that one more action would go past.
    pub(crate) fn check(&self, bot: &str) -> Option<Limit> {
        let (actions, bytes) = self.usage();
        let OutboxLimits { actions: most, bytes: most_bytes, .. } = self.limits;
        (actions >= most || bytes >= most_bytes).then(|| Limit::Outbox {
            bot: bot.to_owned(),
            actions: most,
            mb: most_bytes >> 20,
        })
    }

    pub(crate) fn queue(&self, class: Class) -> MutexGuard<'_, Queue> {
        self.queues[class.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides whether a new entry stays in memory; otherwise it becomes a row.
    pub(crate) fn admit(&self, class: Class) -> bool {
        let mut queue = self.queue(class);
        // Behind rows that are not in memory comes nothing that is.
        let stays = queue.spilled == 0 && queue.in_memory < IN_MEMORY;
        if stays {
            queue.in_memory += 1;
        } else {
            queue.spilled += 1;
        }
        stays
    }

    /// Sets an entry aside. Returns whether its chain is new, and has to be started.
    pub(crate) fn set_aside(&self, chain: ChainId, position: Position, tries: u32) -> bool {
        let mut chains = self.chains();
        let waiting = chains.entry(chain).or_default();
        waiting.push_back((position, tries));
        waiting.len() == 1
    }

    /// Puts an entry behind those of its chain that are retried on their own, if there are any.
    pub(crate) fn follow(&self, chain: &ChainId, position: Position) -> bool {
        let mut chains = self.chains();
        if chains.is_empty() {
            return false;
        }
        let waiting = chains.get_mut(chain);
        waiting.map(|waiting| waiting.push_back((position, 0))).is_some()
    }

    /// The first entry of a chain. Without one the chain is over.
    pub(crate) fn first_aside(&self, chain: &ChainId) -> Option<(Position, u32)> {
        let mut chains = self.chains();
        let first = chains.get(chain)?.front().copied();
        if first.is_none() {
            chains.remove(chain);
        }
        first
    }

    /// The first entry of a chain is completed.
    pub(crate) fn next_aside(&self, chain: &ChainId) {
        if let Some(waiting) = self.chains().get_mut(chain) {
            waiting.pop_front();
        }
    }

    /// How many chains of entries are retried on their own.
    pub(crate) fn chain_count(&self) -> usize {
        self.chains().len()
    }

    fn chains(&self) -> MutexGuard<'_, HashMap<ChainId, VecDeque<(Position, u32)>>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
