//! An action on its way out, and what became of it.

use palabre_model::{Action, ActionKey, BotName, EventName, MessageId, MessageRef, Millis, RoomId};
use serde::{Deserialize, Serialize};

use crate::recovery::Position;

/// Actions of one room and class leave in order; actions of different classes do not wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// What keeps order among people: never waits behind messages.
    Moderation,
    /// Everything else.
    Messages,
}

impl Class {
    /// Returns the class of an action. What is about a message that is still on its way out waits for that.
    pub(crate) fn of(action: &mut Action) -> Self {
        let is_moderation = action.kind().is_moderation();
        match action.references() {
            Some(MessageRef::Sent(_) | MessageRef::Own(_)) => Self::Messages,
            _ if is_moderation => Self::Moderation,
            _ => Self::Messages,
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Moderation => 0,
            Self::Messages => 1,
        }
    }

    /// The key under which the cursor of a lane is stored.
    pub(crate) fn lane_key(self, room: &RoomId) -> String {
        match self {
            Self::Moderation => format!("!{room}"),
            Self::Messages => room.to_string(),
        }
    }
}

/// Where an entry is stored until it is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// In its block of the journal, behind the cursor of its lane.
    Journal,
    /// In a row of the outbox, since there were too many in memory when it was decided.
    Spilled,
    /// In a row of the outbox, since it failed and is retried on its own.
    Aside,
}

/// An action and where it stands in the journal.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) key: ActionKey,
    pub(crate) action: Action,
    pub(crate) class: Class,
    /// When it is too late for it.
    pub(crate) expires: Option<Millis>,
    /// Its size against the bot's quota.
    pub(crate) bytes: usize,
    pub(crate) stored: Stored,
}

/// An entry as a row of the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OutboxRow {
    pub(crate) key: ActionKey,
    pub(crate) action: Action,
    #[serde(default)]
    pub(crate) expires: Option<Millis>,
    /// How often it was tried before it was set aside.
    #[serde(default)]
    pub(crate) tries: u32,
}

/// Bot, 0 and 1 for spilled entries of a class or 2 for those set aside, block and index.
pub(crate) type OutboxKey = (String, u8, u64, u32);

impl Entry {
    /// Makes an entry of what a run of `hook` wanted at `at`; answers expire after `patience`.
    pub(crate) fn new(
        position: Position,
        (key, mut action): (ActionKey, Action),
        (hook, at, patience): (EventName, Millis, Millis),
    ) -> Self {
        let class = Class::of(&mut action);
        // What was said at a time that a script had set is said late rather than never.
        let is_kept = class == Class::Moderation || matches!(hook, EventName::Timer | EventName::Task);
        let expires = (!is_kept).then(|| at.saturating_add(patience));
        let bytes = size(&action);
        Self { position, key, action, class, expires, bytes, stored: Stored::Journal }
    }

    pub(crate) fn from_row(key: &OutboxKey, row: OutboxRow) -> Self {
        let (_, kind, block, index) = key;
        let OutboxRow { key, mut action, expires, .. } = row;
        let class = Class::of(&mut action);
        let stored = if *kind == ASIDE { Stored::Aside } else { Stored::Spilled };
        let (position, bytes) = (Position { block: *block, index: *index }, size(&action));
        Self { position, key, action, class, expires, bytes, stored }
    }

    pub(crate) fn bot(&self) -> &str {
        self.action.room().bot()
    }

    /// The key of its row, if it is stored as `stored`.
    pub(crate) fn row_key(&self, stored: Stored) -> OutboxKey {
        let kind = if stored == Stored::Aside { ASIDE } else { spilled_kind(self.class) };
        (self.bot().to_owned(), kind, self.position.block, self.position.index)
    }

    pub(crate) fn row(&self, tries: u32) -> OutboxRow {
        OutboxRow { key: self.key.clone(), action: self.action.clone(), expires: self.expires, tries }
    }
}

/// Returns the row of an action that is tried on its own, from the beginning and for as long as it takes its turn.
pub(crate) fn row_of_its_own(position: Position, key: ActionKey, action: Action) -> (OutboxKey, OutboxRow) {
    let bot = action.room().bot().to_owned();
    ((bot, ASIDE, position.block, position.index), OutboxRow { key, action, expires: None, tries: 0 })
}

/// The kind of rows of entries that are retried on their own.
pub(crate) const ASIDE: u8 = 2;

/// The kind of rows of spilled entries of a class.
pub(crate) fn spilled_kind(class: Class) -> u8 {
    u8::from(class == Class::Messages)
}

/// Returns the encoded size of an action in bytes.
pub(crate) fn size(action: &Action) -> usize {
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
    // Data of our own types into a counter cannot fail; what was counted until then would do.
    drop(rmp_serde::encode::write(&mut counter, action));
    counter.0
}

/// What became of an entry.
pub(crate) struct Settled {
    pub(crate) entry: Entry,
    pub(crate) result: Settlement,
}

/// How the handling of an entry ended.
pub(crate) enum Settlement {
    /// It was performed; with the id of what was made, where the adapter cannot tell that again.
    Done(Option<MessageId>),
    /// Another is performed in its place, whose outcome is its own too.
    Replaced {
        /// The other one.
        by: ActionKey,
    },
    /// It was not, and is not tried again.
    Failed(Unperformed),
    /// It has failed so often, and is retried on its own from here on.
    Aside {
        /// Tries so far.
        tries: u32,
    },
}

/// Why an action was not performed.
pub(crate) struct Unperformed {
    pub(crate) reason: String,
    /// It was tried until it had to be given up; another day it might work.
    pub(crate) is_dead_letter: bool,
}

/// Messages that wait for each other: of one script in one room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChainId {
    pub(crate) bot: BotName,
    pub(crate) room: RoomId,
    pub(crate) script: palabre_model::ScriptName,
    pub(crate) class: Class,
}

impl ChainId {
    pub(crate) fn of(entry: &Entry) -> Self {
        let room = entry.action.room().clone();
        Self { bot: room.bot().into(), room, script: entry.key.script.clone(), class: entry.class }
    }
}
