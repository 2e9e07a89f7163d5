//! The table of incoming webhooks.

use palabre_store::Table;
use palabre_types::{Millis, TableId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Incoming webhooks by id.
pub(crate) const WEBHOOKS: Table<String, WebhookRow> = Table::new(TableId::RoomWebhooks);

/// An incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookRow {
    pub(crate) room: String,
    /// The name under which its messages are shown.
    pub(crate) name: String,
    /// The hash of the secret in its address.
    pub(crate) secret_hash: String,
    pub(crate) created: Millis,
    /// The id of the account.
    pub(crate) created_by: String,
}

/// Returns the hash under which a secret is stored.
pub(crate) fn hash_of(secret: &str) -> String {
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}
