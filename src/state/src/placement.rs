//! The place of an action: its position in the journal, its queue, and where it is stored.

use palabre_types::{Action, MessageRef, RoomId};
use serde::{Deserialize, Serialize};

/// The position of an action in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The number of the entry batch.
    pub block: u64,
    /// The index of the action, counted over all runs of the batch.
    pub index: u32,
}

impl Position {
    /// Returns the key of a row about the action.
    #[must_use]
    pub const fn key(self) -> (u64, u32) {
        (self.block, self.index)
    }

    /// Returns the key of the outbox row of the action, which is in a queue of that class or in a chain.
    #[must_use]
    pub fn outbox_key(self, bot: &str, class: Class, stored: Stored) -> OutboxKey {
        let kind = if stored == Stored::Chain { CHAIN_KIND } else { spilled_kind(class) };
        (bot.to_owned(), kind, self.block, self.index)
    }
}

/// The kind of the rows of actions that are retried separately.
pub const CHAIN_KIND: u8 = 2;

/// Returns the kind of the rows of spilled actions of a class.
#[must_use]
pub fn spilled_kind(class: Class) -> u8 {
    u8::from(class == Class::Messages)
}

/// The key of an outbox row: bot, kind, batch and index.
///
/// The kind is 0 or 1 for spilled entries of a class, or 2 for entries that are retried separately.
pub type OutboxKey = (String, u8, u64, u32);

/// A class of actions. Those of one room and class keep their order; classes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Moderation, which never waits behind messages.
    Moderation,
    /// Everything else.
    Messages,
}

impl Class {
    /// Returns the class of an action.
    ///
    /// An action on a message that may still be in flight is ordered with the messages.
    #[must_use]
    pub fn of(action: &Action) -> Self {
        let is_moderation = action.kind().is_moderation();
        match action.reference() {
            Some(MessageRef::Sent(_) | MessageRef::Own(_)) => Self::Messages,
            _ if is_moderation => Self::Moderation,
            _ => Self::Messages,
        }
    }

    /// Returns 0 or 1.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Moderation => 0,
            Self::Messages => 1,
        }
    }

    /// Returns the key under which the cursor of the queue is stored.
    #[must_use]
    pub fn cursor_key(self, room: &RoomId) -> String {
        match self {
            Self::Moderation => format!("!{room}"),
            Self::Messages => room.to_string(),
        }
    }
}

/// The place where an action is stored until it is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// In its entry batch of the journal, after the cursor of its queue.
    Journal,
    /// In a row of the outbox, since too many entries were in memory.
    Spilled,
    /// In a row of the outbox, since it failed and is retried separately.
    Chain,
}
