//! Assembles an engine from the configuration, for `run`, `chat` and `test`.

use std::collections::HashMap;

use palabre_engine::{BotSettings, Operators, ScriptSetup};
use palabre_script::{Source, SourceError, discover};
use palabre_server::{Access, Settings, Token};
use palabre_types::{BotName, ScriptName};

use crate::config::{Config, Platform, ScriptConfig};
use crate::problem::Problem;

/// Returns all enabled scripts, including the built-in ones.
pub(crate) fn scripts(config: &Config) -> Result<Vec<ScriptSetup>, Problem> {
    let folder = config.scripts_folder();
    let names = discover(&folder).map_err(|error| Problem::Other(error.to_string()))?;
    let own = names.iter().filter_map(|name| setup(config, name, Source::read(&folder, name.as_str())));
    // A script of the operator replaces a built-in one of the same name.
    let built_in = built_in().filter(|source| !names.contains(&source.name));
    let built_in = built_in.filter_map(|source| setup(config, &source.name.clone(), Ok(source)));
    Ok(own.chain(built_in).collect())
}

/// Returns the built-in scripts.
pub(crate) fn built_in() -> impl Iterator<Item = Source> {
    palabre_script::BUILT_IN.iter().map(|(name, text)| Source::from_text(name, text))
}

/// Sets up a script as configured; `None` if it is disabled.
pub(crate) fn setup(config: &Config, name: &ScriptName, source: Result<Source, SourceError>) -> Option<ScriptSetup> {
    let is_off = config.file.scripts.get(name.as_str()).is_some_and(|script| script.value.enabled == Some(false));
    (!is_off).then(|| setup_of(Some(config), name, source))
}

/// Sets up a script as configured, even if it is disabled; without a configuration with defaults.
pub(crate) fn setup_of(config: Option<&Config>, name: &ScriptName, source: Result<Source, SourceError>) -> ScriptSetup {
    let entry = config.and_then(|config| config.file.scripts.get(name.as_str()));
    let script = entry.map(|script| script.value.clone()).unwrap_or_default();
    let (source, configured) = configured(source, &script);
    ScriptSetup {
        name: name.clone(),
        limits: script.limits,
        config: configured,
        source,
        grants: script.grants.into_iter().map(|grant| grant.value).collect(),
        bots: script.bots.map(|bots| bots.into_iter().map(|bot| bot.value.into()).collect()),
    }
}

/// Returns the source with the values that the script reads as `config`.
///
/// These are the configured ones and the defaults of its manifest. If they do not satisfy the manifest,
/// the source becomes an error, and the script does not load.
fn configured(
    source: Result<Source, SourceError>,
    script: &ScriptConfig,
) -> (Result<Source, SourceError>, serde_json::Value) {
    let given = script.values();
    let Ok(Source { manifest: Some(manifest), name, .. }) = &source else {
        return (source, serde_json::Value::Object(given));
    };
    match manifest.configure(&given) {
        Ok(filled) => (source, filled),
        Err(faults) => {
            let problem = faults.iter().map(|fault| format!("{}: {}", fault.key, fault.message)).collect::<Vec<_>>();
            let unconfigured = SourceError::Unconfigured { name: name.to_string(), problem: problem.join("; ") };
            (Err(unconfigured), serde_json::Value::Object(given))
        }
    }
}

/// Replaces the script's `config` by `values` and the defaults of its manifest.
pub(crate) fn reconfigure(setup: &mut ScriptSetup, values: &serde_json::Map<String, serde_json::Value>) {
    let manifest = setup.source.as_ref().ok().and_then(|source| source.manifest.as_ref());
    let filled = manifest.and_then(|manifest| manifest.configure(values).ok());
    setup.config = filled.unwrap_or(serde_json::Value::Object(values.clone()));
}

/// Returns the settings of the first bot of the configuration: prefix, language, permissions.
pub(crate) fn first_bot(config: Option<&Config>) -> BotSettings {
    let first = config.and_then(|config| Some((config, config.file.bots.keys().next()?)));
    first.and_then(|(config, name)| settings(config).remove(name.as_str())).unwrap_or_default()
}

/// Returns the settings of each bot for the engine.
pub(crate) fn settings(config: &Config) -> HashMap<BotName, BotSettings> {
    let of = |(name, bot): (&String, &serde_saphyr::Spanned<crate::config::BotConfig>)| {
        let bot = &bot.value;
        let permissions = bot.permissions.iter().map(|(level, names)| (level.permission(), names.clone()));
        let settings = BotSettings {
            prefix: bot.prefix.clone().filter(|prefix| !prefix.is_empty()),
            language: bot.language.clone().or_else(|| config.file.language.clone()),
            permissions: permissions.collect(),
            // On Telegram, roles are tags that members may choose themselves, so they give no permission.
            roles_are_self_assigned: bot.platform == Platform::Telegram,
            outbox: bot.outbox.into(),
        };
        (name.as_str().into(), settings)
    };
    config.file.bots.iter().map(of).collect()
}

/// Returns the tokens for routes of scripts.
pub(crate) fn access(config: &Config) -> Access {
    let tokens = config.file.tokens.iter().map(|(name, token)| Token {
        name: name.clone(),
        secret: token.value.token.clone(),
        permission: token.value.permission.permission(),
    });
    let scripts = config.file.scripts.iter();
    let of_scripts = scripts.filter_map(|(name, script)| Some((name.as_str().into(), script.value.token.clone()?)));
    Access { tokens: tokens.collect(), of_scripts: of_scripts.collect() }
}

/// Returns the settings of the HTTP server: `server:`, with hosts and origins of `listen` and bots.
pub(crate) fn server(config: &Config, listen: &str) -> Settings {
    let mut settings = config.file.server.clone();
    settings.hosts.extend(listen.rsplit_once(':').map(|(host, _)| host.to_owned()));
    for bot in config.file.bots.values().map(|bot| &bot.value) {
        match bot.platform {
            Platform::Rooms => settings.origins.extend(bot.rooms.origins.iter().cloned()),
            // Telegram sends its updates to this host.
            Platform::Telegram => settings.hosts.extend(bot.telegram.webhook.as_deref().and_then(host)),
            Platform::Discord => {}
        }
    }
    settings
}

/// Returns the host of a URL, with its port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next().map(ToOwned::to_owned)
}

/// Returns the channels on which operators are notified.
pub(crate) fn operators(config: &Config) -> Operators {
    let operators = &config.file.operators;
    Operators { room: operators.room.as_deref().map(Into::into), webhook: operators.webhook.clone() }
}

/// Returns the number of worker threads: the number of cores.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
