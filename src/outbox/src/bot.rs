//! The outbox of one bot: its quota, the number of its entries in memory, and its retry chains.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use palabre_state::{Class, Position};
use palabre_types::{Millis, RoomId};

use crate::breaker::Breaker;
use crate::pending_action::ChainId;

/// Maximum entries of a bot and class in memory, as many as a full batch brings; the rest are rows.
pub(crate) const IN_MEMORY_MAX: usize = 8_192;
/// Entries of one room that stay in memory beyond that, up to `IN_MEMORY_MAX` more for all rooms.
///
/// So a quiet room does not wait behind a busy one.
const IN_MEMORY_PER_ROOM: usize = 16;

/// Divisor of the quota: moderation may exceed it by a tenth.
const MODERATION_RESERVE: usize = 10;

/// The quota of one bot's outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxLimits {
    /// Maximum number of waiting actions.
    pub actions: usize,
    /// Maximum size of waiting actions, in bytes.
    pub bytes: usize,
    /// Age at which a waiting answer is dropped, in milliseconds.
    pub answers_expire: Millis,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { actions: 250_000, bytes: 64 << 20, answers_expire: 3_600_000 }
    }
}

/// The outbox of one bot, as far as its owner counts and places actions.
#[derive(Default)]
pub struct BotOutbox {
    /// The quota.
    limits: OutboxLimits,
    pub(crate) breaker: Breaker,
    actions: AtomicUsize,
    bytes: AtomicUsize,
    counts: [Mutex<ClassCounts>; 2],
    chains: Mutex<HashMap<ChainId, VecDeque<(Position, u32)>>>,
}

/// Counts of the entries of one class.
#[derive(Default)]
pub(crate) struct ClassCounts {
    in_memory: usize,
    /// Number of rows that are not in memory.
    spilled: usize,
    rooms: HashMap<RoomId, RoomCounts>,
    /// Positions of the rows that are in memory.
    pub(crate) loaded: HashSet<Position>,
    pub(crate) is_loading: bool,
}

#[derive(Default)]
struct RoomCounts {
    in_memory: usize,
    spilled: usize,
}

impl ClassCounts {
    /// Counts an entry, in memory or as a row.
    pub(crate) fn found(&mut self, room: &RoomId, is_in_memory: bool) {
        self.count(room, |counts, of_room| {
            let (all, of_room) = if is_in_memory {
                (&mut counts.in_memory, &mut of_room.in_memory)
            } else {
                (&mut counts.spilled, &mut of_room.spilled)
            };
            *all += 1;
            *of_room += 1;
        });
    }

    /// Records that a row has been loaded into memory.
    pub(crate) fn loaded(&mut self, room: &RoomId, position: Position) {
        self.loaded.insert(position);
        self.count(room, |counts, of_room| {
            counts.in_memory += 1;
            of_room.in_memory += 1;
            counts.spilled = counts.spilled.saturating_sub(1);
            of_room.spilled = of_room.spilled.saturating_sub(1);
        });
    }

    /// Records that an entry has left memory.
    pub(crate) fn leaves(&mut self, room: &RoomId) {
        self.count(room, |counts, of_room| {
            counts.in_memory = counts.in_memory.saturating_sub(1);
            of_room.in_memory = of_room.in_memory.saturating_sub(1);
        });
    }

    pub(crate) fn has_rows(&self) -> bool {
        self.spilled > 0
    }

    /// Whether to load rows: there are some, none are being loaded, and half of the memory is free.
    pub(crate) fn wants_rows(&self) -> bool {
        !self.is_loading && self.spilled > 0 && self.in_memory <= IN_MEMORY_MAX / 2
    }

    /// Whether a new entry stays in memory. Not after rows of its room: they come first.
    fn stays(&self, room: &RoomId) -> bool {
        match self.rooms.get(room) {
            Some(of_room) if of_room.spilled > 0 => false,
            Some(of_room) if of_room.in_memory >= IN_MEMORY_PER_ROOM => self.in_memory < IN_MEMORY_MAX,
            _ => self.in_memory < 2 * IN_MEMORY_MAX,
        }
    }

    fn count(&mut self, room: &RoomId, change: impl FnOnce(&mut Self, &mut RoomCounts)) {
        let mut of_room = self.rooms.remove(room).unwrap_or_default();
        change(self, &mut of_room);
        if of_room.in_memory > 0 || of_room.spilled > 0 {
            self.rooms.insert(room.clone(), of_room);
        }
    }
}

impl BotOutbox {
    /// Returns an empty outbox with that quota.
    #[must_use]
    pub fn new(limits: OutboxLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Counts an action of so many bytes against the quota, which it may exceed.
    pub fn reserve(&self, bytes: usize) {
        self.actions.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Gives an action's share of the quota back.
    pub fn release(&self, bytes: usize) {
        // A negative count would be a bug, and must not block the bot for good.
        let less = |count: &AtomicUsize, by| {
            let _before = count.fetch_update(Relaxed, Relaxed, |count| Some(count.saturating_sub(by)));
        };
        less(&self.actions, 1);
        less(&self.bytes, bytes);
    }

    /// Returns the number of waiting actions, and their size in bytes.
    #[must_use]
    pub fn usage(&self) -> (usize, usize) {
        (self.actions.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Whether one more action would exceed the quota.
    ///
    /// Moderation may exceed it by a tenth, so that messages cannot disable it.
    #[must_use]
    pub fn is_full(&self, is_moderation: bool) -> bool {
        let (actions, bytes) = self.usage();
        let OutboxLimits { actions: actions_max, bytes: bytes_max, .. } = self.limits;
        let reserve =
            |limit: usize| if is_moderation { limit.saturating_add(limit / MODERATION_RESERVE) } else { limit };
        actions >= reserve(actions_max) || bytes >= reserve(bytes_max)
    }

    /// Returns the quota.
    #[must_use]
    pub const fn limits(&self) -> OutboxLimits {
        self.limits
    }

    /// Returns the reason why actions wait at present, if the platform is away.
    #[must_use]
    pub fn held_back(&self) -> Option<String> {
        self.breaker.reason()
    }

    pub(crate) fn counts(&self, class: Class) -> MutexGuard<'_, ClassCounts> {
        self.counts[class.index()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits or is under way in a queue, so that a new entry begins at once.
    #[must_use]
    pub fn is_idle(&self, room: &RoomId, class: Class) -> bool {
        !self.counts(class).rooms.contains_key(room)
    }

    /// Counts a new entry. Returns whether it stays in memory; otherwise it becomes a row.
    #[must_use]
    pub fn admit(&self, room: &RoomId, class: Class) -> bool {
        let mut counts = self.counts(class);
        let stays = counts.stays(room);
        counts.found(room, stays);
        stays
    }

    /// Adds a failed entry to its retry chain. Returns whether the chain is new, to be started.
    pub(crate) fn add_to_chain(&self, chain: ChainId, position: Position, attempts: u32) -> bool {
        let mut chains = self.chains();
        let waiting = chains.entry(chain).or_default();
        waiting.push_back((position, attempts));
        waiting.len() == 1
    }

    /// Adds an entry to its retry chain, if there is one. Returns whether there is.
    pub(crate) fn follow(&self, chain: &ChainId, position: Position) -> bool {
        let mut chains = self.chains();
        if chains.is_empty() {
            return false;
        }
        let waiting = chains.get_mut(chain);
        waiting.map(|waiting| waiting.push_back((position, 0))).is_some()
    }

    /// Returns the first entry of a chain. An empty chain is removed.
    pub(crate) fn first_in_chain(&self, chain: &ChainId) -> Option<(Position, u32)> {
        let mut chains = self.chains();
        let first = chains.get(chain)?.front().copied();
        if first.is_none() {
            chains.remove(chain);
        }
        first
    }

    /// Removes the first entry of a chain, which is completed.
    pub(crate) fn advance_chain(&self, chain: &ChainId) {
        if let Some(waiting) = self.chains().get_mut(chain) {
            waiting.pop_front();
        }
    }

    /// Returns the number of retry chains.
    pub(crate) fn chain_count(&self) -> usize {
        self.chains().len()
    }

    fn chains(&self) -> MutexGuard<'_, HashMap<ChainId, VecDeque<(Position, u32)>>> {
        self.chains.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
