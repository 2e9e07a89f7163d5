//! The stored data of buttons, select menus and polls.

use palabre_store::{Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName, Millis, Select};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const BUTTONS: Table<(String, String), Stored> = Table::new(TableId::TelegramButtons);
/// Lifetime of stored button data, in milliseconds.
const BUTTON_LIFETIME: Millis = 365 * 86_400_000;

/// The stored data of a button, a select menu or a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stored {
    Button {
        action: String,
    },
    Select(Select),
    /// A poll: its chat, topic and message, and its options.
    Poll {
        chat: i64,
        topic: Option<i64>,
        message: i64,
        options: Vec<String>,
    },
}

/// Data to be stored, by key.
pub(crate) type Kept = Vec<(String, Stored)>;

impl Stored {
    /// Returns the key of the data: a digest, so that repeated data is stored once.
    pub(super) fn key(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        Sha256::digest(text).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns the key under which a poll is stored.
pub(crate) fn poll_key(id: &str) -> String {
    format!("poll {id}")
}

/// Adds the data of buttons to `rows`.
pub(super) fn add(rows: &mut Batch, bot: &BotName, kept: Kept, now: Millis) {
    for (key, stored) in kept {
        BUTTONS.put_until(rows, &(bot.to_string(), key), &stored, Some(now + BUTTON_LIFETIME));
    }
}

/// Reads the data that is stored under a key.
pub(super) fn read(snapshot: &Snapshot, bot: &BotName, key: &str) -> palabre_store::Result<Option<Stored>> {
    BUTTONS.get(snapshot, &(bot.to_string(), key.to_owned()))
}
