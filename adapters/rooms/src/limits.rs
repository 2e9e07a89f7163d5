//! Limits for each connection, person and address, as bots.yaml has them under `limits:`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limiter::Kind;

/// How often something may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// How often at once.
    pub burst: u32,
    /// How often in a minute after that; 0 is no limit.
    pub per_minute: u32,
}

/// What one connection, one person and one address may do. Rates are those of a person; an address has a multiple of them. 0 is no
/// limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many connections one address may have. Behind a proxy, which has one address for everybody, raise it or set it to 0.
    pub connections_per_address: usize,
    /// How many connections one person may have from one address.
    pub connections_per_person: usize,
    /// How many times the rates of a person one address has, for the people behind one router.
    pub people_per_address: u32,
    /// How many kilobytes may wait for a client before it is disconnected as too slow.
    pub queued_kb: usize,
    /// How many seconds a client may take nothing of what is written to it before it is disconnected.
    pub write_timeout_seconds: u64,
    /// How many kilobytes a second a client may send over its WebSocket; more waits unread.
    pub received_kb_per_second: u32,
    /// How many announced files of one address may wait for their message.
    pub files_per_address: usize,
    /// How many files of one address may be on their way at once.
    pub transfers_per_address: usize,
    /// Messages.
    pub messages: Rate,
    /// Edits, removals and reactions.
    pub changes: Rate,
    /// Typing.
    pub typing: Rate,
    /// Entering and leaving rooms.
    pub joins: Rate,
    /// Opening rooms that nobody is in.
    pub rooms: Rate,
    /// Announcing files.
    pub uploads: Rate,
    /// Buttons, lists and forms.
    pub interactions: Rate,
    /// Asking who is in the room.
    pub lists: Rate,
    /// Asking for pages of the history.
    pub history: Rate,
    /// Events that there are not.
    pub others: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        let rate = |burst, per_minute| Rate { burst, per_minute };
        Self {
            connections_per_address: 500,
            connections_per_person: 32,
            people_per_address: 10,
            queued_kb: 1_024,
            write_timeout_seconds: 10,
            received_kb_per_second: 1_024,
            files_per_address: 200,
            transfers_per_address: 32,
            messages: rate(1_000, 12_000),
            changes: rate(100, 600),
            typing: rate(20, 120),
            joins: rate(60, 120),
            rooms: rate(100, 3),
            uploads: rate(100, 120),
            interactions: rate(100, 600),
            lists: rate(30, 120),
            history: rate(60, 600),
            others: rate(50, 60),
        }
    }
}

impl Limits {
    /// Returns what is wrong with the limits, if something is.
    ///
    /// # Errors
    /// When a limit leaves no room for anything.
    pub fn check(&self) -> Result<(), String> {
        if self.queued_kb == 0 || self.write_timeout_seconds == 0 {
            return Err("limits: queued_kb and write_timeout_seconds are at least 1".to_owned());
        }
        let empty = Kind::ALL.into_iter().find(|kind| {
            let rate = self.rate(*kind);
            rate.burst == 0 && rate.per_minute > 0
        });
        empty.map_or(Ok(()), |kind| {
            Err(format!("limits: {}: the burst is at least 1, or nothing would be let through", kind.name()))
        })
    }

    /// The rate of a person for events of a kind.
    pub(crate) const fn rate(&self, kind: Kind) -> Rate {
        match kind {
            Kind::Message => self.messages,
            Kind::Change => self.changes,
            Kind::Typing => self.typing,
            Kind::Join => self.joins,
            Kind::Room => self.rooms,
            Kind::Upload => self.uploads,
            Kind::Interaction => self.interactions,
            Kind::List => self.lists,
            Kind::History => self.history,
            Kind::Other => self.others,
        }
    }
}
