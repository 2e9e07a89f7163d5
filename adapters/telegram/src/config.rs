//! The settings of a Telegram bot in bots.yaml, below `telegram:`.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a bot on Telegram.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Public address of this daemon, such as `https://bots.example.org`.
    ///
    /// Telegram sends updates to `/telegram/BOT` there. Without it, the bot polls.
    pub webhook: Option<String>,
    /// Whether messages of other bots become events. Two bots that answer each other never stop.
    pub hear_bots: bool,
    /// Rate limits for messages.
    pub pace: Pace,
}

/// Rate limits for messages. The defaults are what Telegram allows.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Messages per second to all chats together.
    pub per_second: u32,
    /// Messages per second to one chat.
    pub per_second_in_chat: u32,
    /// Messages per minute to one group or channel.
    pub per_minute_in_group: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 30, per_second_in_chat: 1, per_minute_in_group: 20 }
    }
}

impl Config {
    /// Checks the settings.
    ///
    /// # Errors
    /// If the webhook is not an HTTP address, or if a rate limit is 0.
    pub fn check(&self) -> Result<(), String> {
        let Pace { per_second, per_second_in_chat, per_minute_in_group } = self.pace;
        if per_second == 0 || per_second_in_chat == 0 || per_minute_in_group == 0 {
            return Err("telegram: pace: each number must be at least 1".to_owned());
        }
        match &self.webhook {
            Some(url) if !(url.starts_with("https://") || url.starts_with("http://")) => {
                Err(format!("telegram: webhook: {url} is not a URL; write it as https://HOST"))
            }
            _ => Ok(()),
        }
    }
}
