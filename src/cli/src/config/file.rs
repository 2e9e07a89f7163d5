//! The structure of bots.yaml.

use std::collections::BTreeMap;

use palabre_types::Limits;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::bots::{BotConfig, Level};

/// The configuration of a Palabre daemon.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct File {
    /// The folder of the store, relative to this file.
    pub(crate) data: String,
    /// The address of the page and the API, as ADDRESS:PORT.
    pub(crate) listen: String,
    /// The HTTP server at that address: host names, origins, limits.
    pub(crate) server: palabre_server::Settings,
    /// The folder of the scripts, relative to this file.
    pub(crate) scripts_folder: String,
    /// The retention of the journal of events and runs, in days.
    pub(crate) journal_days: u64,
    /// The language of bots towards users whose language is unknown, such as en or fr.
    pub(crate) language: Option<String>,
    /// The channels on which the operator is notified of scripts that keep failing.
    pub(crate) operators: OperatorsConfig,
    /// The tokens of programs that use routes of scripts, by name.
    #[schemars(with = "BTreeMap<String, TokenConfig>")]
    pub(crate) tokens: BTreeMap<String, Spanned<TokenConfig>>,
    /// The bots, by name.
    #[schemars(with = "BTreeMap<String, BotConfig>")]
    pub(crate) bots: BTreeMap<String, Spanned<BotConfig>>,
    /// Settings of single scripts, by name. Other scripts run with the defaults.
    #[schemars(with = "BTreeMap<String, ScriptConfig>")]
    pub(crate) scripts: BTreeMap<String, Spanned<ScriptConfig>>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            data: "data".to_owned(),
            listen: "127.0.0.1:8080".to_owned(),
            server: palabre_server::Settings::default(),
            scripts_folder: "scripts".to_owned(),
            journal_days: 7,
            language: None,
            operators: OperatorsConfig::default(),
            tokens: BTreeMap::new(),
            bots: BTreeMap::new(),
            scripts: BTreeMap::new(),
        }
    }
}

/// The channels on which the operator is notified.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OperatorsConfig {
    /// A room, as BOT/ROOM.
    pub(crate) room: Option<String>,
    /// A URL that accepts a POST of `{"text": …}`. `${NAME}` is taken from the environment.
    pub(crate) webhook: Option<String>,
}

/// The token of a program.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenConfig {
    /// The token that is sent as `Authorization: Bearer …`, of at least 16 characters.
    ///
    /// `${NAME}` is taken from the environment.
    pub(crate) token: String,
    /// The permission of its holder.
    #[serde(default = "trusted")]
    pub(crate) permission: Level,
}

const fn trusted() -> Level {
    Level::Trusted
}

/// The settings of a script.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScriptConfig {
    /// Whether it runs. The default is true.
    pub(crate) enabled: Option<bool>,
    /// The bots whose events it gets. The default is all.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) bots: Option<Vec<Spanned<String>>>,
    /// The capabilities it has beyond answering events.
    ///
    /// One or more of moderation, rooms, direct, routes, files, personas, mentions and http:HOST.
    #[schemars(with = "Vec<String>")]
    pub(crate) grants: Vec<Spanned<String>>,
    /// The token for its routes that require one. `${NAME}` is taken from the environment.
    pub(crate) token: Option<String>,
    /// The values that it reads as `config`. `${NAME}` in a text is taken from the environment.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(crate) config: BTreeMap<String, Spanned<serde_json::Value>>,
    /// The limits on its use of resources.
    pub(crate) limits: Limits,
}

impl ScriptConfig {
    /// Returns the values of `config`.
    pub(crate) fn values(&self) -> serde_json::Map<String, serde_json::Value> {
        self.config.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect()
    }
}
