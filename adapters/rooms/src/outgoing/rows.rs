//! Tables of outgoing webhooks.

use palabre_store::Table;
use palabre_types::{Millis, TableId};
use serde::{Deserialize, Serialize};

/// Outgoing webhooks by id.
pub(crate) const OUTGOING: Table<String, OutgoingRow> = Table::new(TableId::RoomOutgoingWebhooks);
/// The progress of outgoing webhooks, by id.
pub(crate) const DELIVERIES: Table<String, DeliveryRow> = Table::new(TableId::RoomDeliveries);

/// The events that can be sent.
pub(crate) const EVENTS: [&str; 7] =
    ["message", "message_edited", "message_deleted", "messages_deleted", "reaction", "message_pinned", "room_updated"];

/// An outgoing webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutgoingRow {
    pub(crate) room: String,
    pub(crate) url: String,
    /// The names of the events that are sent.
    pub(crate) events: Vec<String>,
    /// The key of the signatures. It is needed for each of them, and therefore stored as it is.
    pub(crate) secret: String,
    pub(crate) created: Millis,
    /// The id of the account.
    pub(crate) created_by: String,
}

/// The progress of an outgoing webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryRow {
    /// The number of the last change that was accepted, or that need not be sent.
    pub(crate) cursor: u64,
    /// Number of failed attempts in a row.
    pub(crate) failed: u32,
    pub(crate) failing_since: Option<Millis>,
    /// The reason why the last attempt failed.
    pub(crate) problem: Option<String>,
    pub(crate) is_given_up: bool,
}
