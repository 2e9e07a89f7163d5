//! Sessions of the gateway, kept with the events that came in them: what is journalled is never told again, and what is not, is.

use std::collections::HashMap;

use palabre_model::{Batch, BotName};
use palabre_store::{Direction, Result, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

/// Sessions by bot and shard.
const SESSIONS: Table<(String, u64), SessionRow> = Table::new(TableId::DiscordSessions);

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SessionRow {
    pub(super) id: String,
    /// The last frame of which all is durable.
    pub(super) sequence: u64,
    /// Where it is resumed, where Discord has said so.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// How many shards there were.
    pub(super) shards: u32,
}

/// All sessions of a bot, by shard.
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

/// Adds to `batch` where the session stands.
pub(super) fn keep(batch: &mut Batch, bot: &BotName, shard: u32, session: &SessionRow) {
    SESSIONS.put(batch, &(bot.to_string(), u64::from(shard)), session);
}
