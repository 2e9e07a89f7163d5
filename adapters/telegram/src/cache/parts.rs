//! Messages that are several on Telegram: long texts, texts with files, albums.
//!
//! An action on one part applies to all of them. The head is the part whose id stands for the
//! whole.

use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName, Millis};
use serde::{Deserialize, Serialize};

/// The parts of messages, by bot, and by chat and head.
const PARTS: Table<(String, String), Parts> = Table::new(TableId::TelegramParts);
/// Lifetime of a row, in milliseconds.
const PARTS_LIFETIME: Millis = 90 * 86_400_000;
/// Number of such messages, and of their parts, that are remembered.
const MESSAGES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
const PARTS_MAX: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();

/// The parts of one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Parts {
    /// All parts, oldest first.
    pub(crate) ids: Vec<i64>,
    /// The parts that carry the text, in the order of the text.
    pub(crate) texts: Vec<i64>,
    /// Whether the first of those carries it as the caption of a file.
    pub(crate) has_caption: bool,
}

/// The messages of one bot that have several parts, by chat and head.
pub(crate) struct Composed {
    parts: LruCache<(i64, i64), Parts>,
    /// The head of each part.
    heads: LruCache<(i64, i64), i64>,
}

impl Default for Composed {
    fn default() -> Self {
        Self { parts: LruCache::new(MESSAGES_MAX), heads: LruCache::new(PARTS_MAX) }
    }
}

impl Parts {
    /// Returns the parts of a message that is not known to have several.
    pub(crate) fn single(id: i64) -> Self {
        Self { ids: vec![id], texts: vec![id], has_caption: false }
    }

    /// Adds a part.
    pub(crate) fn add(&mut self, id: i64) {
        if let Err(place) = self.ids.binary_search(&id) {
            self.ids.insert(place, id);
        }
    }
}

impl Composed {
    /// Returns the head of the message that a part belongs to.
    pub(crate) fn head_of(&self, chat: i64, id: i64) -> i64 {
        self.heads.peek(&(chat, id)).copied().unwrap_or(id)
    }

    /// Returns the parts of the message that a part belongs to.
    pub(crate) fn parts_of(&self, chat: i64, id: i64) -> Parts {
        let known = self.parts.peek(&(chat, self.head_of(chat, id)));
        known.cloned().unwrap_or_else(|| Parts::single(id))
    }

    /// Whether a message is known to have several parts.
    pub(crate) fn has_several(&self, chat: i64, id: i64) -> bool {
        self.parts.contains(&(chat, self.head_of(chat, id)))
    }

    /// Remembers the parts of a message.
    pub(crate) fn remember(&mut self, chat: i64, head: i64, parts: Parts) {
        for id in parts.ids.iter().chain([&head]) {
            self.heads.put((chat, *id), head);
        }
        self.parts.put((chat, head), parts);
    }

    /// Adds the parts of a message to `rows`, if it has several.
    pub(super) fn keep(&self, rows: &mut Batch, bot: &BotName, (chat, head): (i64, i64), now: Millis) {
        if let Some(parts) = self.parts.peek(&(chat, head)) {
            PARTS.put_until(rows, &row_key(bot, chat, head), parts, Some(now + PARTS_LIFETIME));
        }
    }

    /// Forgets the parts of a deleted message, and adds that to `rows`.
    pub(super) fn drop_parts(&mut self, rows: &mut Batch, bot: &BotName, chat: i64, id: i64) {
        let head = self.head_of(chat, id);
        if self.forget(chat, head) {
            PARTS.delete(rows, &row_key(bot, chat, head));
        }
    }

    fn forget(&mut self, chat: i64, head: i64) -> bool {
        let Some(parts) = self.parts.pop(&(chat, head)) else { return false };
        for id in parts.ids.iter().chain([&head]) {
            self.heads.pop(&(chat, *id));
        }
        true
    }
}

/// Reads the stored parts of the messages of a bot, each with the chat and the head.
pub(super) fn read(snapshot: &Snapshot, bot: &BotName) -> palabre_store::Result<Vec<(i64, i64, Parts)>> {
    let mut stored = Vec::new();
    for row in PARTS.scan(snapshot, &bot.to_string(), Direction::Forward)? {
        let ((of, key), parts) = row?;
        let place = key.split_once(':').and_then(|(chat, head)| Some((chat.parse().ok()?, head.parse().ok()?)));
        if let Some((chat, head)) = place.filter(|_| of == bot.as_str()) {
            stored.push((chat, head, parts));
        }
    }
    Ok(stored)
}

fn row_key(bot: &BotName, chat: i64, head: i64) -> (String, String) {
    (bot.to_string(), format!("{chat}:{head}"))
}
