//! bots.yaml: reading and validation.

mod bots;
mod environment;
mod errors;
mod file;
mod grants;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palabre_script::{Source, nearest, without_bom};
use serde_saphyr::Spanned;

use crate::problem::Problem;
pub(crate) use bots::{BotConfig, Platform};
use environment::fill_in;
use errors::Place;
pub(crate) use file::{File, ScriptConfig};

/// The minimum length of a token.
const TOKEN_LEN_MIN: usize = 16;

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

/// Reads a regular file. Others are refused, since reading a pipe may block forever.
fn read_regular(path: &Path) -> std::io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    std::fs::read_to_string(path)
}
