//! Messages that are several on Telegram: long texts, texts beside files, albums. What is done to one is done to all of them.

use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_model::{Batch, Millis};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

use super::World;

/// Which messages one is made of, by bot, and by its chat and the message that it is known by.
const PARTS: Table<(String, String), Parts> = Table::new(TableId::TelegramParts);
/// How long that is kept.
const LIFE: Millis = 90 * 86_400_000;
/// So many such messages are remembered, and so many parts of them.
const MESSAGES: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
const ALL_PARTS: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();

/// What one message is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Parts {
    /// All of its messages, the oldest first.
    pub(crate) ids: Vec<i64>,
    /// Those that carry its text, in the order of the text.
    pub(crate) texts: Vec<i64>,
    /// Whether the first of those carries it below a file.
    pub(crate) has_caption: bool,
}

/// The messages that have several parts, by chat and the part that each is known by.
pub(crate) struct Composed {
    parts: LruCache<(i64, i64), Parts>,
    /// The part that the message is known by, of each part.
    heads: LruCache<(i64, i64), i64>,
}

impl Default for Composed {
    fn default() -> Self {
        Self { parts: LruCache::new(MESSAGES), heads: LruCache::new(ALL_PARTS) }
    }
}

impl Parts {
    /// Those of a message of which no more is known.
    pub(crate) fn single(id: i64) -> Self {
        Self { ids: vec![id], texts: vec![id], has_caption: false }
    }

    /// Adds a message.
    pub(crate) fn add(&mut self, id: i64) {
        if let Err(place) = self.ids.binary_search(&id) {
            self.ids.insert(place, id);
        }
    }
}

impl Composed {
    /// The part that a message is known by.
    pub(crate) fn head_of(&self, chat: i64, id: i64) -> i64 {
        self.heads.peek(&(chat, id)).copied().unwrap_or(id)
    }

    /// What the message is made of that a part belongs to.
    pub(crate) fn parts_of(&self, chat: i64, id: i64) -> Parts {
        let known = self.parts.peek(&(chat, self.head_of(chat, id)));
        known.cloned().unwrap_or_else(|| Parts::single(id))
    }

    /// Whether it is known of a message that it has several parts.
    pub(crate) fn has_several(&self, chat: i64, id: i64) -> bool {
        self.parts.contains(&(chat, self.head_of(chat, id)))
    }

    /// A message has these parts.
    pub(crate) fn note(&mut self, chat: i64, head: i64, parts: Parts) {
        for id in parts.ids.iter().chain([&head]) {
            self.heads.put((chat, *id), head);
        }
        self.parts.put((chat, head), parts);
    }

    fn forget(&mut self, chat: i64, head: i64) -> bool {
        let Some(parts) = self.parts.pop(&(chat, head)) else { return false };
        for id in parts.ids.iter().chain([&head]) {
            self.heads.pop(&(chat, *id));
        }
        true
    }
}

impl World {
    /// Takes up of which parts messages were before.
    pub(super) fn load_parts(&self, snapshot: &Snapshot) -> palabre_store::Result<()> {
        for row in PARTS.scan(snapshot, &self.bot.to_string(), Direction::Forward)? {
            let ((bot, key), parts) = row?;
            let place = key.split_once(':').and_then(|(chat, head)| Some((chat.parse().ok()?, head.parse().ok()?)));
            if let Some((chat, head)) = place.filter(|_| bot == self.bot.as_str()) {
                self.lock().composed.note(chat, head, parts);
            }
        }
        Ok(())
    }

    /// Adds to `rows` what a message is made of, if it has several parts.
    pub(crate) fn keep_parts(&self, rows: &mut Batch, chat: i64, head: i64, now: Millis) {
        let known = self.lock();
        if let Some(parts) = known.composed.parts.peek(&(chat, head)) {
            PARTS.put_until(rows, &self.parts_key(chat, head), parts, Some(now + LIFE));
        }
    }

    /// A message is gone: adds to `rows` that what it was made of need not be kept.
    pub(crate) fn drop_parts(&self, rows: &mut Batch, chat: i64, id: i64) {
        let mut known = self.lock();
        let head = known.composed.head_of(chat, id);
        if known.composed.forget(chat, head) {
            PARTS.delete(rows, &self.parts_key(chat, head));
        }
    }

    fn parts_key(&self, chat: i64, head: i64) -> (String, String) {
        (self.bot.to_string(), format!("{chat}:{head}"))
    }
}
