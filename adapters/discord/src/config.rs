//! What bots.yaml says of a Discord bot, below `discord:`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a bot on Discord.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The privileged intents that the bot asks for, as far as its application has them.
    pub intents: Vec<Privileged>,
    /// Which shards this process serves; all that Discord recommends, unless told.
    pub shards: Option<ShardRange>,
    /// The servers whose members get the commands, by id; all servers if none is named. Commands of one server are there at once.
    pub command_servers: Vec<String>,
    /// Whether messages of other bots are events. Two bots that answer each other do so for ever.
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

/// What Discord gives only to bots whose application says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Privileged {
    /// Who joins and leaves a server, and what changes of its members.
    Members,
    /// Who is online.
    Presences,
    /// What messages say that do not mention the bot.
    MessageContent,
}

impl Privileged {
    /// What is missing without it.
    pub(crate) const fn without(self) -> &'static str {
        match self {
            Self::Members => "on_join, on_leave and on_member_update of servers will not be called",
            Self::Presences => "on_presence, on_connect and on_disconnect will not be called",
            Self::MessageContent => {
                "messages that neither mention the bot nor are direct have no text, so that prefix commands, hear and on_message see nothing in them"
            }
        }
    }

    /// What the developer portal calls it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Members => "Server Members Intent",
            Self::Presences => "Presence Intent",
            Self::MessageContent => "Message Content Intent",
        }
    }

    /// The flags of an application that has it: as a verified bot, and as one in few servers.
    /// <https://discord.com/developers/docs/resources/application#application-object-application-flags>
    pub(crate) const fn flags(self) -> u64 {
        match self {
            Self::Presences => 1 << 12 | 1 << 13,
            Self::Members => 1 << 14 | 1 << 15,
            Self::MessageContent => 1 << 18 | 1 << 19,
        }
    }
}

/// A part of all shards.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardRange {
    /// How many there are in all processes together.
    pub total: u32,
    /// The first one of this process, from 0.
    pub first: u32,
    /// The last one of this process.
    pub last: u32,
}

impl ShardRange {
    /// What is wrong with it.
    ///
    /// # Errors
    /// When it is no range of shards.
    pub fn check(&self) -> Result<(), String> {
        if self.first <= self.last && self.last < self.total {
            return Ok(());
        }
        let Self { total, first, last } = self;
        Err(format!("shards: {first} to {last} of {total} is no range; the first is 0, the last at most {total} - 1"))
    }
}
