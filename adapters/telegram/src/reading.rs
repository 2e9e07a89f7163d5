//! The reader of updates by itself, for tests: what they become, without a connection.

use std::sync::Arc;

use palabre_model::{Bot, Event, Millis};
use serde_json::Value;

use crate::decode::Decoder;
use crate::lenient::regular;
use crate::world::World;

/// Reads updates one after the other, as a bot does, and remembers what they tell.
pub struct Updates(Decoder);

impl Updates {
    /// A reader for the bot of that id and username, that has read nothing yet.
    #[must_use]
    pub fn new(bot: &Bot, id: i64, username: &str) -> Self {
        let world = Arc::new(World::new(&bot.name));
        {
            let mut known = world.lock();
            known.me = id;
            username.clone_into(&mut known.username);
        }
        Self(Decoder { bot: bot.clone(), world, hear_bots: false })
    }

    /// The events of an update.
    pub fn read(&self, update: &Value, now: Millis) -> Vec<Event> {
        let mut update = update.clone();
        regular(&mut update);
        self.0.meet(&update);
        self.0.decode(&update, now).events
    }
}
