//! The bots in bots.yaml.

use std::collections::BTreeMap;

use palabre_engine::OutboxLimits;
use palabre_types::Permission;
use schemars::JsonSchema;
use serde::Deserialize;

/// The settings of one bot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BotConfig {
    /// The platform that it runs on.
    pub(crate) platform: Platform,
    /// The bot token that the platform issued. `${NAME}` is taken from the environment.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// The base URL of the platform's API, if it is not the usual one: a proxy, or a test.
    #[serde(default)]
    pub(crate) api: Option<String>,
    /// A prefix of commands in addition to `/`: with `!`, `!roll` is a command too.
    #[serde(default)]
    pub(crate) prefix: Option<String>,
    /// The language of this bot towards users whose language is unknown.
    #[serde(default)]
    pub(crate) language: Option<String>,
    /// For each permission level, the roles and user ids that have it.
    ///
    /// In the room service, a user name only counts if it has a token under `rooms: name_tokens`.
    #[serde(default)]
    pub(crate) permissions: BTreeMap<Level, Vec<String>>,
    /// The limits of the bot's outbox.
    #[serde(default)]
    pub(crate) outbox: OutboxConfig,
    /// The settings of the room service, if the platform is rooms.
    #[serde(default)]
    pub(crate) rooms: palabre_rooms::Config,
    /// The settings of a bot on Discord, if the platform is discord.
    #[serde(default)]
    pub(crate) discord: palabre_discord::Config,
    /// The settings of a bot on Telegram, if the platform is telegram.
    #[serde(default)]
    pub(crate) telegram: palabre_telegram::Config,
}

/// The limits of a bot's outbox. At a limit, further actions of scripts fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutboxConfig {
    /// The maximum number of waiting actions.
    pub(crate) actions: usize,
    /// Their maximum total size, in mebibytes.
    pub(crate) mb: usize,
    /// The time after which a waiting answer expires, in seconds. Its script gets an error.
    ///
    /// Moderation actions and scheduled actions do not expire.
    pub(crate) answers_expire_s: u64,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        let OutboxLimits { actions, bytes, answers_expire } = OutboxLimits::default();
        Self { actions, mb: bytes >> 20, answers_expire_s: answers_expire / 1_000 }
    }
}

impl From<OutboxConfig> for OutboxLimits {
    fn from(config: OutboxConfig) -> Self {
        Self {
            actions: config.actions,
            bytes: config.mb.saturating_mul(1 << 20),
            answers_expire: config.answers_expire_s.saturating_mul(1_000),
        }
    }
}

impl BotConfig {
    /// Checks what deserialising cannot check. The error is a sentence.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        if name.is_empty() || name.contains('/') || name.chars().any(char::is_whitespace) {
            return Err(format!("the bot's name \"{name}\" must not be empty or contain a slash or a space"));
        }
        if self.outbox.actions == 0 || self.outbox.mb == 0 || self.outbox.answers_expire_s == 0 {
            return Err("outbox: actions, mb and answers_expire_s must be at least 1".to_owned());
        }
        self.rooms.check()?;
        palabre_server::check_origins(&self.rooms.origins).map_err(|what| format!("rooms: {what}"))?;
        let has_token = self.token.as_ref().is_some_and(|token| !token.trim().is_empty());
        match self.platform {
            Platform::Rooms if has_token => Err(format!("{name} is the room service, which has no token")),
            Platform::Discord if !has_token => Err(format!(
                "{name} is a bot on Discord and needs a token; write `token: ${{DISCORD_TOKEN}}`, and set that \
                 variable to the token from the developer portal"
            )),
            Platform::Telegram if !has_token => Err(format!(
                "{name} is a bot on Telegram and needs a token; write `token: ${{TELEGRAM_TOKEN}}`, and set that \
                 variable to the token from @BotFather"
            )),
            Platform::Telegram => self.telegram.check(),
            Platform::Discord => self.discord.shards.map_or(Ok(()), |shards| shards.check()),
            Platform::Rooms => Ok(()),
        }?;
        match &self.api {
            Some(api) if !(api.starts_with("https://") || api.starts_with("http://")) => {
                Err(format!("api: {api} is not a URL; write it as https://HOST"))
            }
            _ => Ok(()),
        }
    }
}

impl BotConfig {
    /// Returns what identifies its account on the platform, taken from its token.
    pub(super) fn account(&self) -> Option<&str> {
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty())?;
        match self.platform {
            // The bot's id is before the colon; the part after it changes with a new token.
            Platform::Telegram => token.split(':').next(),
            Platform::Discord => Some(token),
            Platform::Rooms => None,
        }
    }
}

/// A permission level that roles and users can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// A user whom the operator trusts.
    Trusted,
    /// A moderator of the space.
    Moderator,
    /// An administrator of the space.
    Admin,
    /// An operator of the bots.
    Owner,
}

impl Level {
    pub(crate) const fn permission(self) -> Permission {
        match self {
            Self::Trusted => Permission::Trusted,
            Self::Moderator => Permission::Moderator,
            Self::Admin => Permission::Admin,
            Self::Owner => Permission::Owner,
        }
    }
}

/// A supported platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Platform {
    /// The built-in room service.
    Rooms,
    /// A bot on Discord.
    Discord,
    /// A bot on Telegram.
    Telegram,
}

impl Platform {
    /// Returns its name in bots.yaml and scripts.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Discord => "discord",
            Self::Telegram => "telegram",
        }
    }
}
