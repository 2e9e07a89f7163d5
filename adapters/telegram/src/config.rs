//! What bots.yaml says of a Telegram bot, below `telegram:`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a bot on Telegram.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where Telegram reaches this daemon from outside, as `https://bots.example.org`: updates then come by webhook, to
    /// `/telegram/BOT` there. Without it they are asked for.
    pub webhook: Option<String>,
    /// Whether messages of other bots are events. Two bots that answer each other do so for ever.
    pub hear_bots: bool,
    /// How fast messages are sent.
    pub pace: Pace,
}

/// How fast messages are sent: as Telegram allows it, unless told.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Messages a second to all chats together.
    pub per_second: u32,
    /// Messages a second to one chat.
    pub per_second_in_chat: u32,
    /// Messages a minute to one group or channel.
    pub per_minute_in_group: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 30, per_second_in_chat: 1, per_minute_in_group: 20 }
    }
}

impl Config {
    /// What is wrong with it.
    ///
    /// # Errors
    /// When the address is none that Telegram reaches, or nothing could be sent.
    pub fn check(&self) -> Result<(), String> {
        let Pace { per_second, per_second_in_chat, per_minute_in_group } = self.pace;
        if per_second == 0 || per_second_in_chat == 0 || per_minute_in_group == 0 {
            return Err("telegram: each number of pace is at least 1".to_owned());
        }
        match &self.webhook {
            Some(url) if !(url.starts_with("https://") || url.starts_with("http://")) => {
                Err(format!("telegram: webhook: {url} is no address; write it as https://HOST"))
            }
            _ => Ok(()),
        }
    }
}
