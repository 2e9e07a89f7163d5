//! A pending action of the outbox, and its delivery.

use std::collections::{BTreeMap, HashSet};

use palabre_state::{CHAIN_KIND, Class, OutboxKey, OutboxRow, Position, Stored};
use palabre_types::{Action, ActionKey, BotName, DeliveryGuarantee, EventName, MessageId, Millis, RoomId, ScriptName};

/// An action and its position in the journal.
#[derive(Debug, Clone)]
pub struct PendingAction {
    /// Its position in the journal.
    pub position: Position,
    /// Its key, which is the same for all attempts.
    pub key: ActionKey,
    /// The action.
    pub action: Action,
    /// Its class, which together with the room selects its queue.
    pub class: Class,
    /// The time when it was requested.
    pub requested: Millis,
    /// The time of this process's first attempt with an unknown outcome.
    pub(crate) uncertain_since: Option<Millis>,
    /// The time when it expires.
    pub(crate) expires: Option<Millis>,
    /// Its size in bytes, as it counts against the bot's quota.
    pub bytes: usize,
    /// The place where it is stored until it is completed.
    pub stored: Stored,
}

impl PendingAction {
    /// Creates the entry of an action that a run of `hook` requested at `at`.
    ///
    /// Answers expire after `answers_expire` milliseconds.
    #[must_use]
    pub fn new(
        position: Position,
        (key, action): (ActionKey, Action),
        (hook, at, answers_expire): (EventName, Millis, Millis),
    ) -> Self {
        let class = Class::of(&action);
        let expires = expiry(class, hook, at, answers_expire);
        let bytes = size(&action);
        let (requested, stored) = (at, Stored::Journal);
        Self { position, key, action, class, requested, uncertain_since: None, expires, bytes, stored }
    }

    /// Returns the entry of a row of the outbox.
    #[must_use]
    pub fn from_row(key: &OutboxKey, row: OutboxRow) -> Self {
        let (_, kind, block, index) = key;
        let OutboxRow { key, action, expires, requested, uncertain_since, .. } = row;
        let class = Class::of(&action);
        let stored = if *kind == CHAIN_KIND { Stored::Chain } else { Stored::Spilled };
        let (position, bytes) = (Position { block: *block, index: *index }, size(&action));
        Self { position, key, action, class, requested, uncertain_since, expires, bytes, stored }
    }

    /// Whether it is a message that must not be sent twice.
    #[must_use]
    pub fn is_at_most_once(&self) -> bool {
        // An edit changes nothing when it is repeated.
        let is_new = !matches!(self.action, Action::Edit { .. });
        let content = self.action.content().filter(|_| is_new);
        content.is_some_and(|content| content.delivery == DeliveryGuarantee::AtMostOnce)
    }

    /// Returns the name of the bot that performs it.
    #[must_use]
    pub fn bot(&self) -> &str {
        self.action.room().bot()
    }

    /// Returns the row of the action after so many attempts.
    #[must_use]
    pub fn row(&self, attempts: u32) -> OutboxRow {
        OutboxRow {
            key: self.key.clone(),
            action: self.action.clone(),
            expires: self.expires,
            attempts,
            requested: self.requested,
            uncertain_since: self.uncertain_since,
        }
    }
}

/// Returns the expiry of an action that a run of `hook` requested at `at`.
///
/// Answers expire after `answers_expire` milliseconds.
#[must_use]
pub fn expiry(class: Class, hook: EventName, at: Millis, answers_expire: Millis) -> Option<Millis> {
    // Moderation and scheduled messages are performed late rather than never.
    let is_kept = class == Class::Moderation || matches!(hook, EventName::Timer | EventName::Task);
    (!is_kept).then(|| at.saturating_add(answers_expire))
}

/// Returns the encoded size of an action in bytes.
#[must_use]
pub fn size(action: &Action) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // Encoding our own types into a counter cannot fail; a partial count would do.
    drop(rmp_serde::encode::write(&mut counter, action));
    counter.0
}

/// An entry that was handled, and its delivery.
pub struct Completed {
    /// The entry.
    pub entry: PendingAction,
    /// Its delivery.
    pub result: Delivery,
}

/// The delivery of an entry.
pub enum Delivery {
    /// It was performed; with the id of the new message, unless the adapter can derive it.
    Done(Option<MessageId>),
    /// It was merged into another action, whose outcome counts for both.
    Replaced {
        /// The key of the other action.
        by: ActionKey,
    },
    /// It was not performed, and is not tried again.
    Failed(Unperformed),
    /// It has failed too often for its queue, and is retried separately from here on.
    Chained {
        /// Number of attempts so far.
        attempts: u32,
    },
}

/// The reason why an action was not performed.
pub struct Unperformed {
    /// The reason, for the script and the operator.
    pub reason: String,
    /// Whether it was given up after many attempts; another day it might succeed.
    pub is_dead_letter: bool,
}

/// Identifies a retry chain: the actions of one script in one room and class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChainId {
    pub(crate) bot: BotName,
    pub(crate) room: RoomId,
    pub(crate) script: ScriptName,
    pub(crate) class: Class,
}

impl ChainId {
    /// Returns the chain in which an entry is retried.
    #[must_use]
    pub fn of(entry: &PendingAction) -> Self {
        let room = entry.action.room().clone();
        Self { bot: room.bot().into(), room, script: entry.key.script.clone(), class: entry.class }
    }
}

/// The actions that the previous process left.
#[derive(Default)]
pub struct UnfinishedActions {
    /// Actions in the journal alone, which go to their queues.
    pub entries: Vec<PendingAction>,
    /// The queue of each outbox row that waits for its turn.
    pub spilled: Vec<(RoomId, Class)>,
    /// Outbox rows that are retried separately: chain, position and attempts so far.
    pub chains: Vec<(ChainId, Position, u32)>,
    /// The bot and the size in bytes of each outbox row, which counts against the bot's quota.
    pub rows: Vec<(String, usize)>,
    /// The attempts of earlier processes.
    pub earlier: EarlierAttempts,
}

/// The attempts of earlier processes at actions that they left, as far as they are known.
#[derive(Default)]
pub struct EarlierAttempts {
    /// The number of the first entry batch of this process. Earlier actions may have been attempted.
    pub first_batch: u64,
    /// Actions that are performed at most once, and had been begun.
    pub begun: HashSet<Position>,
}

impl UnfinishedActions {
    /// Returns the number of actions in the journal alone, by entry batch.
    #[must_use]
    pub fn by_batch(&self) -> BTreeMap<u64, usize> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry(entry.position.block).or_default() += 1;
        }
        counts
    }
}
