//! Albums: Telegram tells their pictures one by one. They are held until the last is there, as rows, since each is told only once.

use std::collections::HashMap;

use palabre_model::{Batch, BotName};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Duration, Instant};

use crate::frames::{Message, Update};

/// Parts that wait, by bot and number of the update.
const HELD: Table<(String, u64), String> = Table::new(TableId::TelegramHeld);
/// How long after one part another may come.
const PATIENCE: Duration = Duration::from_millis(1_000);

/// An album, with the numbers of the updates that told its parts.
pub(super) struct Album {
    pub(super) parts: Vec<(i64, Message)>,
    due: Instant,
}

/// The albums that wait, by chat and group.
#[derive(Default)]
pub(super) struct Albums(HashMap<(i64, String), Album>);

pub(super) fn read(snapshot: &Snapshot, bot: &str) -> palabre_store::Result<Vec<(i64, Message)>> {
    let mut held = Vec::new();
    for row in HELD.scan(snapshot, &bot.to_owned(), Direction::Forward)? {
        let ((of, id), update) = row?;
        let frame = serde_json::from_str::<Value>(&update).ok().and_then(|update| Update::deserialize(&update).ok());
        if of == bot
            && let Some(message) = frame.and_then(|frame| frame.message.or(frame.channel_post))
        {
            held.push((i64::try_from(id).unwrap_or(i64::MAX), message));
        }
    }
    Ok(held)
}

/// Adds to `rows` that a part waits.
pub(super) fn keep(rows: &mut Batch, bot: &BotName, id: i64, update: &Value) {
    HELD.put(rows, &(bot.to_string(), id.unsigned_abs()), &update.to_string());
}

/// Adds to `rows` that parts wait no longer.
pub(super) fn forget(rows: &mut Batch, bot: &BotName, ids: &[i64]) {
    ids.iter().for_each(|id| HELD.delete(rows, &(bot.to_string(), id.unsigned_abs())));
}

impl Albums {
    pub(super) fn hold(&mut self, id: i64, message: Message) {
        let group = message.media_group_id.clone().unwrap_or_default();
        let due = Instant::now() + PATIENCE;
        let album = self.0.entry((message.chat.id, group)).or_insert_with(|| Album { parts: Vec::new(), due });
        album.due = due;
        album.parts.push((id, message));
    }

    /// When the next one is complete.
    pub(super) fn due(&self) -> Option<Instant> {
        self.0.values().map(|album| album.due).min()
    }

    pub(super) fn take_due(&mut self) -> Option<Album> {
        let now = Instant::now();
        let due = self.0.iter().filter(|(_, album)| album.due <= now).min_by_key(|(_, album)| album.due);
        let key = due.map(|(key, _)| key.clone())?;
        self.0.remove(&key)
    }

    /// An album of a chat in which something else has come, which is behind it.
    pub(super) fn take_of_others(&mut self, chat: i64, group: Option<&str>) -> Option<Album> {
        let is_other = |key: &&(i64, String)| key.0 == chat && Some(key.1.as_str()) != group;
        let key = self.0.keys().find(is_other).cloned()?;
        self.0.remove(&key)
    }
}
