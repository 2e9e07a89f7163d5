//! The `discord:` section of a bot in bots.yaml.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a bot on Discord.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The privileged intents that the bot requests, as far as its application has them.
    pub intents: Vec<Privileged>,
    /// The shards that this process serves; without it, all that Discord recommends.
    pub shards: Option<ShardRange>,
    /// The ids of the servers whose members get the commands; all servers if empty.
    ///
    /// Discord lists the commands of a server at once.
    pub command_servers: Vec<String>,
    /// Whether messages of other bots are events. Two bots that answer each other never stop.
    pub hear_bots: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            intents: vec![Privileged::Members, Privileged::MessageContent],
            shards: None,
            command_servers: Vec::new(),
            hear_bots: false,
        }
    }
}

/// An intent that Discord gives only to applications that it is enabled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privileged {
    /// The members who join and leave a server, and their changes.
    Members,
    /// The online status of members.
    Presences,
    /// The text of messages that do not mention the bot.
    MessageContent,
}

impl Privileged {
    /// Returns a description of what does not work without the intent.
    pub(crate) const fn without(self) -> &'static str {
        match self {
            Self::Members => "on_join, on_leave and on_member_update of servers will not be called",
            Self::Presences => "on_presence, on_connect and on_disconnect will not be called",
            Self::MessageContent => {
                "messages that neither mention the bot nor are direct have no text, \
                 so that prefix commands, hear and on_message see nothing in them"
            }
        }
    }

    /// Returns the name of the intent in the developer portal.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Members => "Server Members Intent",
            Self::Presences => "Presence Intent",
            Self::MessageContent => "Message Content Intent",
        }
    }

    /// Returns the flags of an application that has the intent: if verified, and if in few servers.
    ///
    /// <https://discord.com/developers/docs/resources/application#application-object-application-flags>
    pub(crate) const fn flags(self) -> u64 {
        match self {
            Self::Presences => 1 << 12 | 1 << 13,
            Self::Members => 1 << 14 | 1 << 15,
            Self::MessageContent => 1 << 18 | 1 << 19,
        }
    }
}

/// A range of shards.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardRange {
    /// The number of shards in all processes together.
    pub total: u32,
    /// The first shard of this process, from 0.
    pub first: u32,
    /// The last shard of this process.
    pub last: u32,
}

impl ShardRange {
    /// Checks that the range is valid.
    ///
    /// # Errors
    /// If it is empty, or exceeds the total.
    pub fn check(&self) -> Result<(), String> {
        if self.first <= self.last && self.last < self.total {
            return Ok(());
        }
        let Self { total, first, last } = self;
        Err(format!("shards: {first} to {last} of {total} is no valid range; shards go from 0 to {total} - 1"))
    }
}
