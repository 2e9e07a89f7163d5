//! The contents of an identify.

use serde_json::Value;

use crate::discord::intents::{KNOWN, PRIVILEGED};
use crate::discord::state::State;

use super::close::Close;

/// A valid identify.
#[derive(Debug)]
pub(super) struct Identify {
    pub(super) shard: (u64, u64),
    /// Whether it named its shard.
    pub(super) sharded: bool,
    pub(super) intents: u64,
    /// The number of members from which a guild is sent without its offline members.
    pub(super) large: usize,
    /// Whether single payloads may be compressed.
    pub(super) compress: bool,
}

/// The maximum number of guilds on one shard.
const GUILDS_MAX: usize = 2_500;

impl Identify {
    /// Parses and checks `d`.
    ///
    /// # Errors
    /// With the code with which Discord closes the connection.
    pub(super) fn read(data: &Value, state: &State) -> Result<Self, Close> {
        let token = data["token"].as_str().ok_or(Close::DECODE)?;
        if token.strip_prefix("Bot ").unwrap_or(token) != state.options.token {
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
        if intents & PRIVILEGED & !state.options.privileged != 0 {
            return Err(Close::DISALLOWED);
        }
        let guilds = state.guilds.keys().filter(|guild| (guild.0 >> 22) % shard.1 == shard.0).count();
        if guilds > GUILDS_MAX {
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
