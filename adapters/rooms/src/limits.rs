//! Limits of connections, people and addresses: `limits:` in bots.yaml.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Number of events allowed at once.
    pub burst: u32,
    /// Events per minute after that; 0 disables the limit.
    pub per_minute: u32,
}

/// Limits of one connection, one person and one address; 0 disables a limit.
///
/// Rates are per person; an address has a multiple of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections of one address.
    ///
    /// Behind a proxy, all clients have the same address: raise the limit or set it to 0.
    pub connections_per_address: usize,
    /// Connections of one person from one address.
    pub connections_per_person: usize,
    /// Rate of an address as a multiple of a person's, for people behind one router.
    pub people_per_address: u32,
    /// Kilobytes queued for a client before it is disconnected as too slow.
    pub queued_kb: usize,
    /// Seconds for which a client may read nothing before it is disconnected.
    pub write_timeout_seconds: u64,
    /// Kilobytes per second read from a client's WebSocket; reading pauses above that.
    pub received_kb_per_second: u32,
    /// Announced files of one address that wait for their message.
    pub files_per_address: usize,
    /// Concurrent uploads of one address.
    pub transfers_per_address: usize,
    /// Messages.
    pub messages: Rate,
    /// Edits, deletions and reactions.
    pub changes: Rate,
    /// Typing indicators.
    pub typing: Rate,
    /// Joining and leaving rooms.
    pub joins: Rate,
    /// Opening rooms that are empty.
    pub rooms: Rate,
    /// Announcements of files.
    pub uploads: Rate,
    /// Buttons, select lists and forms.
    pub interactions: Rate,
    /// Requests for the people in the room.
    pub lists: Rate,
    /// Requests for pages of the history.
    pub history: Rate,
    /// Searches for messages.
    pub searches: Rate,
    /// Registrations of an address, and of one name from there.
    pub registrations: Rate,
    /// Logins and changes of passwords, of an address and of an account.
    pub logins: Rate,
    /// One-time codes that are entered for an account, right or wrong.
    pub codes: Rate,
    /// Messages of one incoming webhook.
    pub webhooks: Rate,
    /// Unknown events.
    pub others: Rate,
}

/// The kinds of events that have separate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Message,
    Change,
    Typing,
    Join,
    Room,
    Upload,
    Interaction,
    List,
    History,
    Search,
    Registration,
    Login,
    Code,
    Webhook,
    Other,
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
            searches: rate(30, 120),
            registrations: rate(10, 5),
            logins: rate(10, 10),
            codes: rate(10, 1),
            webhooks: rate(60, 120),
            others: rate(50, 60),
        }
    }
}

impl Limits {
    /// Checks the limits.
    ///
    /// # Errors
    /// A limit would let nothing through.
    pub fn check(&self) -> Result<(), String> {
        if self.queued_kb == 0 || self.write_timeout_seconds == 0 {
            return Err("limits: queued_kb and write_timeout_seconds must be at least 1".to_owned());
        }
        let empty = Kind::ALL.into_iter().find(|kind| {
            let rate = self.rate(*kind);
            rate.burst == 0 && rate.per_minute > 0
        });
        empty.map_or(Ok(()), |kind| {
            Err(format!("limits: {}: burst must be at least 1, or nothing would be accepted", kind.name()))
        })
    }

    /// Returns the rate of one person for a kind of event.
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
            Kind::Search => self.searches,
            Kind::Registration => self.registrations,
            Kind::Login => self.logins,
            Kind::Code => self.codes,
            Kind::Webhook => self.webhooks,
            Kind::Other => self.others,
        }
    }
}

impl Kind {
    pub(crate) const ALL: [Self; 15] = [
        Self::Message,
        Self::Change,
        Self::Typing,
        Self::Join,
        Self::Room,
        Self::Upload,
        Self::Interaction,
        Self::List,
        Self::History,
        Self::Search,
        Self::Registration,
        Self::Login,
        Self::Code,
        Self::Webhook,
        Self::Other,
    ];

    /// The name of the limit in bots.yaml.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Change => "changes",
            Self::Typing => "typing",
            Self::Join => "joins",
            Self::Room => "rooms",
            Self::Upload => "uploads",
            Self::Interaction => "interactions",
            Self::List => "lists",
            Self::History => "history",
            Self::Search => "searches",
            Self::Registration => "registrations",
            Self::Login => "logins",
            Self::Code => "codes",
            Self::Webhook => "webhooks",
            Self::Other => "others",
        }
    }

    /// Whether an event over the limit is accepted late instead of refused, up to one more burst.
    pub(crate) const fn may_be_late(self) -> bool {
        matches!(self, Self::Message | Self::Change | Self::Join | Self::Interaction | Self::List | Self::History)
    }
}
