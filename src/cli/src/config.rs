//! bots.yaml: its structure, reading and validation.

mod bots;
mod errors;
mod grants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palabre_script::{Limits, Source, nearest, without_bom};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::problem::Problem;
pub(crate) use bots::{BotConfig, Level, Platform};
use errors::Place;

/// The minimum length of a token.
const TOKEN_LEN_MIN: usize = 16;

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

/// The validated configuration, with its paths resolved.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) file: File,
    path: PathBuf,
    folder: PathBuf,
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        Self::read_with(path, true)
    }

    /// Does the same as [`Config::read`], but does not require that configured scripts exist.
    pub(crate) fn read_for_scripts(path: &Path) -> Result<Self, Problem> {
        Self::read_with(path, false)
    }

    fn read_with(path: &Path, all_scripts: bool) -> Result<Self, Problem> {
        let text = match read_regular(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                return Err(Problem::NoConfig { path: path.to_owned() });
            }
            Err(cause) => return Err(Problem::Config(format!("cannot read {}: {cause}", path.display()))),
        };
        let text = without_bom(&text);
        let place = Place { path, text };
        let mut file: File = if text.trim().is_empty() {
            File::default()
        } else {
            serde_saphyr::from_str(text).map_err(|error| place.unparsed(&error))?
        };
        fill_in(&mut file, &place)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let config = Self { file, path: path.to_owned(), folder };
        config.check(&place, all_scripts)?;
        Ok(config)
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of the store.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join(&self.file.data)
    }

    /// Returns the folder of the scripts.
    pub(crate) fn scripts_folder(&self) -> PathBuf {
        self.folder.join(&self.file.scripts_folder)
    }

    fn check(&self, place: &Place<'_>, all_scripts: bool) -> Result<(), Problem> {
        let mut rooms = self.file.bots.iter().filter(|(_, bot)| bot.value.platform == Platform::Rooms);
        let first = rooms.next();
        if let (Some((first, _)), Some((second, bot))) = (first, rooms.next()) {
            let what = format!("there can be only one room service; both {first} and {second} have platform: rooms");
            return Err(place.wrong(&bot.referenced, &what));
        }
        let port = self.file.listen.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if port.is_none() {
            let listen = &self.file.listen;
            let what = format!("listen: {listen} is not an address; write it as 127.0.0.1:8080");
            return Err(place.wrong_literal(listen, &what));
        }
        self.file.server.check().map_err(|what| Problem::Config(format!("{}: {what}", place.path.display())))?;
        for (name, bot) in &self.file.bots {
            bot.value.check(name).map_err(|what| place.wrong(&bot.referenced, &what))?;
        }
        self.check_accounts(place)?;
        if let Some(room) = &self.file.operators.room
            && !room.split_once('/').is_some_and(|(bot, room)| self.file.bots.contains_key(bot) && !room.is_empty())
        {
            let what = format!("operators: room: {room} is not a room of a bot under bots:; write it as BOT/ROOM");
            return Err(place.wrong_literal(room, &what));
        }
        let tokens = self.file.tokens.values().map(|token| (&token.referenced, &token.value.token));
        let of_scripts = self.file.scripts.values();
        let of_scripts = of_scripts.filter_map(|script| Some((&script.referenced, script.value.token.as_ref()?)));
        for (at, token) in tokens.chain(of_scripts) {
            if token.len() < TOKEN_LEN_MIN {
                let what = format!("a token must have at least {TOKEN_LEN_MIN} characters, or it can be guessed");
                return Err(place.wrong(at, &what));
            }
        }
        let folder = self.scripts_folder();
        let known = palabre_script::discover(&folder).map_err(|error| {
            Problem::Config(format!(
                "{}: {error}; create the folder, or set another one with scripts_folder:",
                place.path.display()
            ))
        })?;
        for (name, script) in &self.file.scripts {
            let is_built_in = palabre_script::BUILT_IN.iter().any(|(known, _)| known == name);
            if all_scripts && !is_built_in && !known.iter().any(|known| known.as_str() == name) {
                let nearest = nearest(name, known.iter().map(|known| known.as_str()));
                let what = format!("there is no script {name} in {}{nearest}", folder.display());
                return Err(place.wrong(&script.referenced, &what));
            }
            let limits = &script.value.limits;
            if limits.memory_mb == 0 || limits.cpu_ms == 0 || limits.wall_s == 0 {
                return Err(place.wrong(&script.referenced, "limits: memory_mb, cpu_ms and wall_s must be at least 1"));
            }
            for grant in &script.value.grants {
                grants::check(&grant.value).map_err(|what| place.wrong(&grant.referenced, &what))?;
            }
            self.check_values(name, script, place)?;
            for bot in script.value.bots.iter().flatten() {
                if !self.file.bots.contains_key(&bot.value) {
                    let nearest = nearest(&bot.value, self.file.bots.keys().map(String::as_str));
                    return Err(
                        place.wrong(&bot.referenced, &format!("there is no bot {} under bots:{nearest}", bot.value))
                    );
                }
            }
        }
        Ok(())
    }

    /// Checks that every bot has an account of its own.
    ///
    /// Platforms deliver the events of an account to one process only.
    fn check_accounts(&self, place: &Place<'_>) -> Result<(), Problem> {
        let mut known = BTreeMap::new();
        for (name, bot) in &self.file.bots {
            let Some(account) = bot.value.account() else { continue };
            let platform = bot.value.platform.name();
            if let Some(first) = known.insert((platform, account), name) {
                let what = format!(
                    "{first} and {name} have the token of the same bot on {platform}, which can only run once; remove \
                     one of them, or create another bot for it"
                );
                return Err(place.wrong(&bot.referenced, &what));
            }
        }
        Ok(())
    }

    /// Checks the `config` of a script against the script's manifest.
    fn check_values(&self, name: &str, script: &Spanned<ScriptConfig>, place: &Place<'_>) -> Result<(), Problem> {
        if script.value.enabled == Some(false) {
            return Ok(());
        }
        // A script that cannot be read is reported when it is loaded.
        let Ok(Source { manifest: Some(manifest), .. }) = Source::read(&self.scripts_folder(), name) else {
            return Ok(());
        };
        let Err(faults) = manifest.configure(&script.value.values()) else { return Ok(()) };
        let Some(fault) = faults.first() else { return Ok(()) };
        let key = fault.key.split('.').next().unwrap_or_default();
        let at = script.value.config.get(key).map_or(&script.referenced, |value| &value.referenced);
        let more = if faults.len() > 1 { format!(" (and {} more)", faults.len() - 1) } else { String::new() };
        Err(place.wrong(at, &format!("config of {name}: {}: {}{more}", fault.key, fault.message)))
    }
}

impl ScriptConfig {
    /// Returns the values of `config`.
    pub(crate) fn values(&self) -> serde_json::Map<String, serde_json::Value> {
        self.config.iter().map(|(key, value)| (key.clone(), value.value.clone())).collect()
    }
}

/// Reads a regular file. Others are refused, since reading a pipe may block forever.
fn read_regular(path: &Path) -> std::io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    std::fs::read_to_string(path)
}

/// Replaces `${NAME}` by values of the environment in all settings that allow it.
fn fill_in(file: &mut File, place: &Place<'_>) -> Result<(), Problem> {
    for text in [&mut file.data, &mut file.listen, &mut file.scripts_folder] {
        *text = from_environment(text).map_err(|what| place.wrong_literal(text, &what))?;
    }
    if let Some(webhook) = &mut file.operators.webhook {
        *webhook = secret(webhook).map_err(|what| place.wrong_literal(webhook, &what))?;
    }
    for bot in file.bots.values_mut() {
        for text in [&mut bot.value.token, &mut bot.value.api].into_iter().flatten() {
            *text = secret(text).map_err(|what| place.wrong(&bot.referenced, &what))?;
        }
        for token in bot.value.rooms.name_tokens.values_mut() {
            *token = from_environment(token).map_err(|what| place.wrong(&bot.referenced, &what))?;
        }
    }
    for token in file.tokens.values_mut() {
        let filled = secret(&token.value.token).map_err(|what| place.wrong(&token.referenced, &what))?;
        token.value.token = filled;
    }
    for script in file.scripts.values_mut() {
        for value in script.value.config.values_mut() {
            fill_in_value(&mut value.value).map_err(|what| place.wrong(&value.referenced, &what))?;
        }
        if let Some(token) = &mut script.value.token {
            *token = secret(token).map_err(|what| place.wrong(&script.referenced, &what))?;
        }
    }
    Ok(())
}

fn fill_in_value(value: &mut serde_json::Value) -> Result<(), String> {
    match value {
        serde_json::Value::String(text) => *text = from_environment(text)?,
        serde_json::Value::Array(list) => list.iter_mut().try_for_each(fill_in_value)?,
        serde_json::Value::Object(map) => map.values_mut().try_for_each(fill_in_value)?,
        _ => {}
    }
    Ok(())
}

/// Does the same as [`from_environment`] for a secret.
///
/// A secret is sent or compared as it is, so this also trims what copying and files leave around it:
/// white space, control characters, byte order marks and zero-width spaces.
fn secret(text: &str) -> Result<String, String> {
    let is_around = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{FEFF}' | '\u{200B}');
    Ok(from_environment(text)?.trim_matches(is_around).to_owned())
}

/// Replaces `${NAME}` by values of the environment; `$${` is a literal `${`.
fn from_environment(text: &str) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or_else(|| format!("\"{text}\" has ${{ without }}"))?;
        let value = std::env::var(name).ok().ok_or_else(|| {
            format!("the environment variable {name} is not set; set it, or replace ${{{name}}} by the value")
        })?;
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_signs_before_a_brace_mean_the_sign_itself() {
        let home = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        for (text, expected) in [
            ("$${HOME}", "${HOME}".to_owned()),
            ("a $${x} b $${y}", "a ${x} b ${y}".to_owned()),
            ("$${HOME} ${CARGO_MANIFEST_DIR}", format!("${{HOME}} {home}")),
            ("${CARGO_MANIFEST_DIR}$${", format!("{home}${{")),
            ("$5 and $HOME", "$5 and $HOME".to_owned()),
        ] {
            assert_eq!(from_environment(text).unwrap(), expected, "{text}");
        }
        assert!(from_environment("${NOT_THERE_AT_ALL}").is_err());
        assert!(from_environment("${HOME").is_err());
    }

    #[test]
    fn a_secret_has_nothing_around_it() {
        for text in ["token\r\n", " token ", "\u{FEFF}token\n", "\ttoken\u{A0}", "token\u{200B}", "token"] {
            assert_eq!(secret(text).unwrap(), "token", "{text:?}");
        }
    }

    #[test]
    fn every_secret_of_the_file_is_trimmed() {
        let text = "tokens:\n  ci: {token: \"0123456789abcdef\\r\\n\"}\n\
                    operators: {webhook: \" https://example.org/hook\\n\"}\n\
                    bots:\n  d: {platform: discord, token: \"  secret\\n\"}\n\
                    scripts:\n  s: {token: \"\\uFEFFfedcba9876543210 \"}\n";
        let mut file: File = serde_saphyr::from_str(text).unwrap();
        fill_in(&mut file, &Place { path: Path::new("bots.yaml"), text }).unwrap();
        assert_eq!(file.tokens["ci"].value.token, "0123456789abcdef");
        assert_eq!(file.operators.webhook.as_deref(), Some("https://example.org/hook"));
        assert_eq!(file.bots["d"].value.token.as_deref(), Some("secret"));
        assert_eq!(file.scripts["s"].value.token.as_deref(), Some("fedcba9876543210"));
    }
}
