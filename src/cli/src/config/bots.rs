//! Bots in bots.yaml.

use std::collections::BTreeMap;

use palabre_engine::OutboxLimits;
use palabre_model::Permission;
use schemars::JsonSchema;
use serde::Deserialize;

/// One bot.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BotConfig {
    /// Where it is.
    pub(crate) platform: Platform,
    /// The token of the bot, where its platform gives it one. `${NAME}` is taken from the environment.
    #[serde(default)]
    pub(crate) token: Option<String>,
    /// Where the platform is, if it is not where it always is: a proxy, or a test.
    #[serde(default)]
    pub(crate) api: Option<String>,
    /// The prefix of commands beside `/`: with `!`, `!roll` is a command too.
    #[serde(default)]
    pub(crate) prefix: Option<String>,
    /// The language in which this bot speaks to those of whom none is known.
    #[serde(default)]
    pub(crate) language: Option<String>,
    /// Who may do how much: for each level the roles, and the people by their id, that have it. In the room service only people whose
    /// name has a token under `rooms: name_tokens` count.
    #[serde(default)]
    pub(crate) permissions: BTreeMap<Level, Vec<String>>,
    /// How much may wait to be done by the bot.
    #[serde(default)]
    pub(crate) outbox: OutboxConfig,
    /// The settings of the room service, where the platform is rooms.
    #[serde(default)]
    pub(crate) rooms: palabre_rooms::Config,
    /// The settings of a bot on Discord, where the platform is discord.
    #[serde(default)]
    pub(crate) discord: palabre_discord::Config,
    /// The settings of a bot on Telegram, where the platform is telegram.
    #[serde(default)]
    pub(crate) telegram: palabre_telegram::Config,
}

/// How much may wait to be done by a bot: past it, scripts get an error when they want more done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutboxConfig {
    /// Actions that wait.
    pub(crate) actions: usize,
    /// Their size, in mebibytes.
    pub(crate) mb: usize,
    /// How long an answer may wait, in seconds, before it is dropped and its script told. Moderation and what was scheduled is kept.
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
    /// What is wrong with the bot of that name, beside what the parser sees.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        if name.is_empty() || name.contains('/') || name.chars().any(char::is_whitespace) {
            return Err(format!("the bot's name \"{name}\" must have no slash and no space in it"));
        }
        if self.outbox.actions == 0 || self.outbox.mb == 0 || self.outbox.answers_expire_s == 0 {
            return Err("outbox: actions, mb and answers_expire_s are at least 1".to_owned());
        }
        self.rooms.check()?;
        palabre_server::check_origins(&self.rooms.origins).map_err(|what| format!("rooms: {what}"))?;
        let has_token = self.token.as_ref().is_some_and(|token| !token.trim().is_empty());
        match self.platform {
            Platform::Rooms if has_token => Err(format!("{name} is the room service, which has no token")),
            Platform::Discord if !has_token => Err(format!(
                "{name} is a bot on Discord and needs its token: `token: ${{DISCORD_TOKEN}}`, with the one from the developer portal in the environment"
            )),
            Platform::Telegram if !has_token => Err(format!(
                "{name} is a bot on Telegram and needs its token: `token: ${{TELEGRAM_TOKEN}}`, with the one from @BotFather in the environment"
            )),
            Platform::Telegram => self.telegram.check(),
            Platform::Discord => self.discord.shards.map_or(Ok(()), |shards| shards.check()),
            Platform::Rooms => Ok(()),
        }?;
        match &self.api {
            Some(api) if !(api.starts_with("https://") || api.starts_with("http://")) => {
                Err(format!("api: {api} is no address; write it as https://HOST"))
            }
            _ => Ok(()),
        }
    }
}

impl BotConfig {
    /// What its token says of which account of the platform it is.
    pub(super) fn account(&self) -> Option<&str> {
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty())?;
        match self.platform {
            // The id of the bot stands before the colon; what is behind it can be made anew.
            Platform::Telegram => token.split(':').next(),
            Platform::Discord => Some(token),
            Platform::Rooms => None,
        }
    }
}

/// A level of permission that roles can be mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Whom the operator trusts.
    Trusted,
    /// Who keeps order.
    Moderator,
    /// Who runs the space.
    Admin,
    /// Who runs the bots.
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

/// The platforms that there are.
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
    /// As bots.yaml and scripts name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Discord => "discord",
            Self::Telegram => "telegram",
        }
    }
}
