//! Albums, of which Telegram sends each part as a message of its own.
//!
//! Parts are buffered until the last one has arrived. They are stored, since each is sent only
//! once.

use std::collections::HashMap;

use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::frames::{Message, Update};

/// Buffered parts, by bot and number of the update.
const BUFFERED_PARTS: Table<(String, u64), String> = Table::new(TableId::TelegramAlbumParts);
/// Maximum time between two parts.
const PART_TIMEOUT: Duration = Duration::from_millis(1_000);

/// An album, with the update numbers of its parts.
pub(super) struct Album {
    pub(super) parts: Vec<(i64, Message)>,
    due: Instant,
}

/// The incomplete albums, by chat and media group.
#[derive(Default)]
pub(super) struct Albums(HashMap<(i64, String), Album>);

pub(super) fn read(snapshot: &Snapshot, bot: &str) -> palabre_store::Result<Vec<(i64, Message)>> {
    let mut buffered = Vec::new();
    for row in BUFFERED_PARTS.scan(snapshot, &bot.to_owned(), Direction::Forward)? {
        let ((of, id), update) = row?;
        let frame = serde_json::from_str::<Value>(&update).ok().and_then(|update| Update::deserialize(&update).ok());
        if of == bot
            && let Some(message) = frame.and_then(|frame| frame.message.or(frame.channel_post))
        {
            buffered.push((i64::try_from(id).unwrap_or(i64::MAX), message));
        }
    }
    Ok(buffered)
}

/// Adds to `rows` that a part is buffered.
pub(super) fn keep(rows: &mut Batch, bot: &BotName, id: i64, update: &Value) {
    BUFFERED_PARTS.put(rows, &(bot.to_string(), id.unsigned_abs()), &update.to_string());
}

/// Adds to `rows` that parts are no longer buffered.
pub(super) fn forget(rows: &mut Batch, bot: &BotName, ids: &[i64]) {
    ids.iter().for_each(|id| BUFFERED_PARTS.delete(rows, &(bot.to_string(), id.unsigned_abs())));
}

impl Albums {
    pub(super) fn add(&mut self, id: i64, message: Message) {
        let group = message.media_group_id.clone().unwrap_or_default();
        let due = Instant::now() + PART_TIMEOUT;
        let album = self.0.entry((message.chat.id, group)).or_insert_with(|| Album { parts: Vec::new(), due });
        album.due = due;
        album.parts.push((id, message));
    }

    /// Returns the time at which the next album is complete.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|album| album.due).min()
    }

    pub(super) fn take_due(&mut self) -> Option<Album> {
        let now = Instant::now();
        let due = self.0.iter().filter(|(_, album)| album.due <= now).min_by_key(|(_, album)| album.due);
        let key = due.map(|(key, _)| key.clone())?;
        self.0.remove(&key)
    }

    /// Takes an album of a chat in which another message has arrived, which comes after it.
    pub(super) fn take_complete(&mut self, chat: i64, group: Option<&str>) -> Option<Album> {
        let is_other = |key: &&(i64, String)| key.0 == chat && Some(key.1.as_str()) != group;
        let key = self.0.keys().find(is_other).cloned()?;
        self.0.remove(&key)
    }
}
