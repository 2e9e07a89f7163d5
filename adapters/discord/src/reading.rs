//! Frames read without a connection: for tests, and for whoever has a recording.

use std::sync::Arc;

use palabre_model::{Bot, Event, Millis};
use serde_json::Value;

use crate::decode::Decoder;
use crate::world::World;

/// A reader of frames, with what they have told it so far.
pub struct Frames(Decoder);

impl Frames {
    /// A reader that knows nothing yet; messages of other bots are events if `hear_bots`.
    #[must_use]
    pub fn new(bot: Bot, hear_bots: bool) -> Self {
        let world = Arc::new(World::new(&bot.name));
        Self(Decoder { bot, world, hear_bots, shard: (0, 1) })
    }

    /// The events of a frame of that name (`MESSAGE_CREATE`), read at `now`. Nothing that it says makes it panic; what has no
    /// kind of its own is [`palabre_model::EventKind::Native`].
    #[must_use]
    pub fn read(&self, name: &str, data: Value, now: Millis) -> Vec<Event> {
        self.0.decode(name, data, now).events
    }
}
