//! Decodes frames without a connection, for tests and recordings.

use std::sync::Arc;

use palabre_types::{Bot, Event, Millis};
use serde_json::Value;

use crate::cache::PlatformCache;
use crate::decode::Decoder;

/// A decoder, and the cache of what it has read so far.
pub struct Frames(Decoder);

impl Frames {
    /// Creates a decoder with an empty cache. Messages of other bots are events if `hear_bots`.
    #[must_use]
    pub fn new(bot: Bot, hear_bots: bool) -> Self {
        let cache = Arc::new(PlatformCache::new(&bot.name));
        Self(Decoder { bot, cache, hear_bots, shard: (0, 1) })
    }

    /// Returns the events of a frame with this name, such as `MESSAGE_CREATE`, read at `now`.
    ///
    /// Never panics, whatever the data. Frames without an event kind of their own become
    /// [`palabre_types::EventKind::Native`].
    #[must_use]
    pub fn read(&self, name: &str, data: Value, now: Millis) -> Vec<Event> {
        self.0.decode(name, data, now).events
    }
}
