//! What an identify has to say.

use serde_json::Value;

use crate::discord::intents::{KNOWN, PRIVILEGED};
use crate::discord::world::World;

use super::Close;

/// An identify that is in order.
#[derive(Debug)]
pub(super) struct Identify {
    pub(super) shard: (u64, u64),
    /// Whether it said which shard it is.
    pub(super) sharded: bool,
    pub(super) intents: u64,
    /// From how many members on a guild is shown without those who are offline.
    pub(super) large: usize,
    /// Whether payloads may come packed one by one.
    pub(super) compress: bool,
}

/// More guilds than this on one shard need more shards.
const MOST_GUILDS: usize = 2_500;

impl Identify {
    /// Reads and checks `d`.
    ///
    /// # Errors
    /// With the code that Discord closes the connection for.
    pub(super) fn read(data: &Value, world: &World) -> Result<Self, Close> {
        let token = data["token"].as_str().ok_or(Close::DECODE)?;
        if token.strip_prefix("Bot ").unwrap_or(token) != world.options.token {
            return Err(Close::AUTHENTICATION);
        }
        if ["os", "browser", "device"].iter().any(|field| !data["properties"][*field].is_string()) {
            return Err(Close::DECODE);
        }
        let shard = match &data["shard"] {
            Value::Null => (0, 1),
            shard => match (shard[0].as_u64(), shard[1].as_u64()) {
                (Some(id), Some(count)) if id < count => (id, count),
                _ => return Err(Close::SHARD),
            },
        };
        let intents = data["intents"].as_u64().ok_or(Close::INTENTS)?;
        if intents & !KNOWN != 0 {
            return Err(Close::INTENTS);
        }
        if intents & PRIVILEGED & !world.options.privileged != 0 {
            return Err(Close::DISALLOWED);
        }
        let guilds = world.guilds.keys().filter(|guild| (guild.0 >> 22) % shard.1 == shard.0).count();
        if guilds > MOST_GUILDS {
            return Err(Close::SHARDING);
        }
        let large = match &data["large_threshold"] {
            Value::Null => 50,
            number => number.as_u64().filter(|number| (50..=250).contains(number)).ok_or(Close::DECODE)?,
        };
        Ok(Self {
            shard,
            sharded: !data["shard"].is_null(),
            intents,
            large: usize::try_from(large).unwrap_or(50),
            compress: data["compress"] == true,
        })
    }
}
