//! Gateway sessions, stored together with the events received in them.
//!
//! After a restart, Discord sends again what was not journalled, and nothing else.

use std::collections::HashMap;

use palabre_store::{Direction, Result, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName};
use serde::{Deserialize, Serialize};

/// Sessions by bot and shard.
const SESSIONS: Table<(String, u64), SessionRow> = Table::new(TableId::DiscordSessions);

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SessionRow {
    pub(super) id: String,
    /// The sequence number of the last frame whose events are all durable.
    pub(super) sequence: u64,
    /// The URL for resuming the session, if Discord has named one.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// The total number of shards.
    pub(super) shards: u32,
}

/// Returns all sessions of a bot, by shard.
pub(super) fn load(snapshot: &Snapshot, bot: &BotName) -> Result<HashMap<u32, SessionRow>> {
    let mut found = HashMap::new();
    for row in SESSIONS.scan(snapshot, &bot.to_string(), Direction::Forward)? {
        let ((of, shard), session) = row?;
        if of == bot.as_str() {
            found.insert(u32::try_from(shard).unwrap_or(u32::MAX), session);
        }
    }
    Ok(found)
}

/// Adds the state of a session to `batch`.
pub(super) fn keep(batch: &mut Batch, bot: &BotName, shard: u32, session: &SessionRow) {
    SESSIONS.put(batch, &(bot.to_string(), u64::from(shard)), session);
}
