//! The decoder by itself, for tests: updates become events without a connection.

use std::sync::Arc;

use palabre_types::{Bot, Event, Millis};
use serde_json::Value;

use crate::cache::PlatformCache;
use crate::decode::decoder::Decoder;
use crate::lenient::regular;

/// Decodes updates one after the other, as a bot does, and remembers their contents.
pub struct Updates(Decoder);

impl Updates {
    /// Creates a decoder for the bot with this id and username, without any memory.
    #[must_use]
    pub fn new(bot: &Bot, id: i64, username: &str) -> Self {
        let cache = Arc::new(PlatformCache::new(&bot.name));
        {
            let mut state = cache.lock();
            state.me = id;
            username.clone_into(&mut state.username);
        }
        Self(Decoder { bot: bot.clone(), cache, hear_bots: false })
    }

    /// Returns the events of an update.
    pub fn read(&self, update: &Value, now: Millis) -> Vec<Event> {
        let mut update = update.clone();
        regular(&mut update);
        self.0.remember_named(&update);
        self.0.decode(&update, now).events
    }
}
