//! Putting an engine together from the configuration: for the daemon and for the terminal.

use std::collections::HashMap;

use palabre_engine::{BotSettings, Operators, ScriptSetup};
use palabre_model::{BotName, ScriptName};
use palabre_script::{Source, SourceError, discover};
use palabre_server::{Access, Settings, Token};

use crate::config::{Config, Platform, ScriptConfig};
use crate::problem::Problem;

/// All scripts that are to run.
pub(crate) fn scripts(config: &Config) -> Result<Vec<ScriptSetup>, Problem> {
    let folder = config.scripts_folder();
    let names = discover(&folder).map_err(|error| Problem::Other(error.to_string()))?;
    let own = names.iter().filter_map(|name| setup(config, name, Source::read(&folder, name.as_str())));
    // A script of the operator's takes the place of one that comes with the runtime.
    let built_in = built_in().filter(|source| !names.contains(&source.name));
    let built_in = built_in.filter_map(|source| setup(config, &source.name.clone(), Ok(source)));
    Ok(own.chain(built_in).collect())
}

/// The scripts that come with the runtime.
pub(crate) fn built_in() -> impl Iterator<Item = Source> {
    palabre_script::BUILT_IN.iter().map(|(name, text)| Source::from_text(name, text))
}

/// What the configuration says of one script; `None` when it is switched off.
pub(crate) fn setup(config: &Config, name: &ScriptName, source: Result<Source, SourceError>) -> Option<ScriptSetup> {
    let is_off = config.file.scripts.get(name.as_str()).is_some_and(|script| script.value.enabled == Some(false));
    (!is_off).then(|| setup_of(Some(config), name, source))
}

/// A script with what the configuration says of it, where there is one.
pub(crate) fn setup_of(config: Option<&Config>, name: &ScriptName, source: Result<Source, SourceError>) -> ScriptSetup {
    let said = config.and_then(|config| config.file.scripts.get(name.as_str()));
    let script = said.map(|script| script.value.clone()).unwrap_or_default();
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

/// The script with what it reads as `config`: what is given, and what its manifest adds. One whose manifest asks for more than it is
/// given does not load.
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

/// The script reads `values` as its `config`, with what its manifest adds.
pub(crate) fn reconfigure(setup: &mut ScriptSetup, values: &serde_json::Map<String, serde_json::Value>) {
    let manifest = setup.source.as_ref().ok().and_then(|source| source.manifest.as_ref());
    let filled = manifest.and_then(|manifest| manifest.configure(values).ok());
    setup.config = filled.unwrap_or(serde_json::Value::Object(values.clone()));
}

/// What the first bot of the configuration is set to: prefix, language, permissions.
pub(crate) fn first_bot(config: Option<&Config>) -> BotSettings {
    let first = config.and_then(|config| Some((config, config.file.bots.keys().next()?)));
    first.and_then(|(config, name)| settings(config).remove(name.as_str())).unwrap_or_default()
}

/// What bots.yaml says of each bot, for the engine.
pub(crate) fn settings(config: &Config) -> HashMap<BotName, BotSettings> {
    let of = |(name, bot): (&String, &serde_saphyr::Spanned<crate::config::BotConfig>)| {
        let bot = &bot.value;
        let permissions = bot.permissions.iter().map(|(level, names)| (level.permission(), names.clone()));
        let settings = BotSettings {
            prefix: bot.prefix.clone().filter(|prefix| !prefix.is_empty()),
            language: bot.language.clone().or_else(|| config.file.language.clone()),
            permissions: permissions.collect(),
            // A tag on Telegram is what somebody may give to themselves.
            roles_are_words: bot.platform == Platform::Telegram,
            outbox: bot.outbox.into(),
        };
        (name.as_str().into(), settings)
    };
    config.file.bots.iter().map(of).collect()
}

/// Who may use routes of scripts.
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

/// The settings of the HTTP server: those below `server:`, with what `listen` and the bots say of hosts and origins.
pub(crate) fn server(config: &Config, listen: &str) -> Settings {
    let mut settings = config.file.server.clone();
    settings.hosts.extend(listen.rsplit_once(':').map(|(host, _)| host.to_owned()));
    for bot in config.file.bots.values().map(|bot| &bot.value) {
        match bot.platform {
            Platform::Rooms => settings.origins.extend(bot.rooms.origins.iter().cloned()),
            // Telegram brings its updates under that name.
            Platform::Telegram => settings.hosts.extend(bot.telegram.webhook.as_deref().and_then(host)),
            Platform::Discord => {}
        }
    }
    settings
}

/// The host of a URL, with its port.
fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?', '#']).next().map(ToOwned::to_owned)
}

/// Where troubles are told.
pub(crate) fn operators(config: &Config) -> Operators {
    let operators = &config.file.operators;
    Operators { room: operators.room.as_deref().map(Into::into), webhook: operators.webhook.clone() }
}

/// How many threads run scripts: as many as there are cores.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
