//! Registers slash commands and menus with Discord, and writes only the differences.
//!
//! <https://discord.com/developers/docs/interactions/application-commands>

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_platform::Shutdown;
use palabre_types::{ArgSpec, ArgType, CommandSpec, Menu};
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use serenity::http::{LightMethod, Route};
use serenity::model::id::{ApplicationId, CommandId, GuildId};
use tokio::sync::watch;

use crate::discord::Discord;
use crate::rest::{Call, RestError};

/// The delay before registering: at start, one script is loaded after another.
const REGISTRATION_DELAY: Duration = Duration::from_millis(750);
/// The delay before registering again after a failure.
const RETRY_DELAY: Duration = Duration::from_secs(60);
/// The most slash commands.
const COMMANDS_MAX: usize = 100;
/// The most menu commands of one kind.
const MENUS_MAX: usize = 5;
/// The most arguments of one command.
const ARGUMENTS_MAX: usize = 25;
/// The most servers that are checked for commands of an older version, which did not record them.
const SERVERS_CHECKED_MAX: usize = 200;
/// The longest description or choice, in characters.
const TEXT_MAX: usize = 100;
/// The most choices of a list; arguments with more are autocompleted.
const CHOICES_MAX: usize = 25;
/// The types of commands: slash commands, and the menus of a user and of a message.
const SLASH_COMMAND: u8 = 1;
const USER_MENU: u8 = 2;
const MESSAGE_MENU: u8 = 3;

/// Keeps Discord's lists of commands equal to those of the scripts, until shutdown.
pub(crate) async fn keep(
    discord: &Discord,
    mut commands: watch::Receiver<Arc<Vec<CommandSpec>>>,
    mut shutdown: Shutdown,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(REGISTRATION_DELAY) => {}
            () = shutdown.requested() => return,
        }
        let wanted = listed(&commands.borrow_and_update());
        let pause = match register(discord, &wanted).await {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(bot = %discord.cache.bot(), "could not register the commands with Discord: {error}");
                Some(RETRY_DELAY)
            }
        };
        let retry = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = commands.changed() => if changed.is_err() { return },
            () = retry => {}
            () = shutdown.requested() => return,
        }
    }
}

/// Updates the lists at Discord to `wanted`: those of the configured servers, or the global one.
///
/// All other lists, which an earlier `command_servers` has filled, are emptied.
async fn register(discord: &Discord, wanted: &BTreeMap<(u8, String), Value>) -> Result<(), RestError> {
    let application_id = ApplicationId::new(discord.application().await?.max(1));
    let passing = |error: palabre_types::ActionError| RestError::Passing(error.to_string());
    let mut servers = Vec::new();
    for server in &discord.config.command_servers {
        match server.parse::<u64>().ok().filter(|id| *id != 0) {
            Some(server) => servers.push(server),
            None => tracing::error!(bot = %discord.cache.bot(), "command_servers: \"{server}\" is not a server's id"),
        }
    }
    let before = discord.command_servers().await.map_err(passing)?.unwrap_or_else(|| {
        let mut known: Vec<u64> = discord.cache.lock().guilds.keys().copied().collect();
        known.truncate(SERVERS_CHECKED_MAX);
        known
    });
    // Recorded before the commands are listed, so that no list is forgotten.
    let both: Vec<u64> =
        servers.iter().chain(before.iter().filter(|server| !servers.contains(server))).copied().collect();
    discord.keep_command_servers(&both).await.map_err(passing)?;
    let nothing = BTreeMap::new();
    let place = |server: Option<u64>| Place { application_id, guild: server.map(GuildId::new) };
    for server in &both {
        let is_wanted = servers.contains(server);
        match update(discord, if is_wanted { wanted } else { &nothing }, place(Some(*server))).await {
            // A server that the bot has left has no list.
            Err(RestError::Refused { .. }) if !is_wanted => {}
            updated => updated?,
        }
    }
    let everywhere = if discord.config.command_servers.is_empty() { wanted } else { &nothing };
    update(discord, everywhere, place(None)).await?;
    discord.keep_command_servers(&servers).await.map_err(passing)
}

/// A list of commands: the global one, or that of one server.
#[derive(Clone, Copy)]
struct Place {
    application_id: ApplicationId,
    guild: Option<GuildId>,
}

impl Place {
    const fn all(self) -> Route<'static> {
        let Self { application_id, guild } = self;
        match guild {
            Some(guild_id) => Route::GuildCommands { application_id, guild_id },
            None => Route::Commands { application_id },
        }
    }

    const fn one(self, command_id: CommandId) -> Route<'static> {
        let Self { application_id, guild } = self;
        match guild {
            Some(guild_id) => Route::GuildCommand { application_id, guild_id, command_id },
            None => Route::Command { application_id, command_id },
        }
    }
}

async fn update(discord: &Discord, wanted: &BTreeMap<(u8, String), Value>, place: Place) -> Result<(), RestError> {
    let call = Call::new(LightMethod::Get, place.all()).param("with_localizations", "true");
    let there = discord.rest.with_retry(call).await?;
    let mut there: BTreeMap<(u8, String), &Value> = there
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|command| {
            let kind = command["type"].as_u64().and_then(|kind| u8::try_from(kind).ok()).unwrap_or(SLASH_COMMAND);
            Some(((kind, command["name"].as_str()?.to_owned()), command))
        })
        .collect();
    let (mut changed, mut refused, mut removed) = (0, 0, 0);
    for (key, command) in wanted {
        let is_same = there.remove(key).is_some_and(|known| essence(known) == essence(command));
        if !is_same {
            // Posting a command with the name of an existing one replaces that.
            match discord.rest.with_retry(Call::new(LightMethod::Post, place.all()).body(command.clone())).await {
                Ok(_) => changed += 1,
                // The other commands are listed all the same.
                Err(error @ RestError::Refused { .. }) => {
                    refused += 1;
                    tracing::error!(bot = %discord.cache.bot(), "Discord refused the command /{}: {error}", key.1);
                }
                Err(error) => return Err(error),
            }
        }
    }
    for ((_, name), command) in there {
        let Some(id) = command["id"].as_str().and_then(|id| id.parse().ok()).filter(|id| *id != 0) else { continue };
        tracing::debug!("removing the command /{name} from Discord, since no script has it");
        match discord.rest.with_retry(Call::new(LightMethod::Delete, place.one(CommandId::new(id)))).await {
            // Somebody else has deleted it already.
            Ok(_) | Err(RestError::Refused { status: StatusCode::NOT_FOUND, .. }) => removed += 1,
            Err(error) => return Err(error),
        }
    }
    if wanted.is_empty() && removed == 0 {
        return Ok(());
    }
    let listed = wanted.len() - refused;
    let whose = place.guild.map_or_else(|| "globally".to_owned(), |guild| format!("in the server {guild}"));
    tracing::info!(
        bot = %discord.cache.bot(),
        "registered {listed} commands with Discord {whose}, of which {changed} were changed; \
         {removed} were removed, {refused} refused"
    );
    Ok(())
}

/// Reduces a command to what is compared: the fields that are ours, without default values.
fn essence(command: &Value) -> Value {
    match command {
        Value::Object(map) => {
            const FIELDS: &[&str] = &[
                "name",
                "description",
                "type",
                "options",
                "required",
                "choices",
                "value",
                "min_value",
                "max_value",
                "min_length",
                "max_length",
                "autocomplete",
                "name_localizations",
                "description_localizations",
            ];
            let is_default = |name: &str, value: &Value| match value {
                Value::Null => true,
                Value::Bool(is) => !is,
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
                Value::String(text) => text.is_empty(),
                Value::Number(number) => name == "type" && number.as_u64() == Some(u64::from(SLASH_COMMAND)),
            };
            let kept = map.iter().filter(|(name, value)| FIELDS.contains(&name.as_str()) && !is_default(name, value));
            kept.map(|(name, value)| {
                // The keys of localisations are languages.
                let kept = if name.ends_with("_localizations") { value.clone() } else { essence(value) };
                (name.clone(), kept)
            })
            .collect::<Map<_, _>>()
            .into()
        }
        Value::Array(list) => list.iter().map(essence).collect(),
        // Discord returns integers for numbers that were sent as fractions.
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| json!(number)),
        other => other.clone(),
    }
}

/// Returns the commands in Discord's format, by type and name.
///
/// Those above Discord's maximum are omitted and logged.
fn listed(commands: &[CommandSpec]) -> BTreeMap<(u8, String), Value> {
    let mut wanted = BTreeMap::new();
    let mut count = [0; 4];
    for spec in commands {
        let menu = spec.menu.map(|menu| if menu == Menu::User { USER_MENU } else { MESSAGE_MENU });
        // A typed command cannot name a message, since Discord's slash commands have no reply.
        let typed = (spec.menu != Some(Menu::Message)).then_some(SLASH_COMMAND);
        for kind in typed.into_iter().chain(menu) {
            let count_max = if kind == SLASH_COMMAND { COMMANDS_MAX } else { MENUS_MAX };
            count[usize::from(kind)] += 1;
            if count[usize::from(kind)] > count_max {
                tracing::warn!("/{} is not registered: Discord accepts {count_max} commands of its type", spec.name);
                continue;
            }
            wanted.insert((kind, spec.name.clone()), command(spec, kind));
        }
    }
    wanted
}

fn command(spec: &CommandSpec, kind: u8) -> Value {
    let names = localised(&spec.names);
    let mut command = json!({ "name": spec.name, "type": kind, "name_localizations": names });
    if kind == SLASH_COMMAND {
        command["description"] = described(&spec.description, &spec.name).into();
        command["description_localizations"] = localised(&spec.descriptions);
        // The host has put required arguments first, as Discord demands.
        command["options"] = spec.args.iter().take(ARGUMENTS_MAX).map(option).collect();
    }
    command
}

fn option(arg: &ArgSpec) -> Value {
    let kind = match arg.kind {
        ArgType::String | ArgType::Text | ArgType::Duration | ArgType::Choice => 3,
        ArgType::Integer => 4,
        ArgType::Boolean => 5,
        ArgType::User | ArgType::Member => 6,
        ArgType::Room => 7,
        ArgType::Role => 8,
        ArgType::Number => 10,
        ArgType::File => 11,
    };
    let mut option = json!({
        "type": kind, "name": option_name(&arg.name), "description": described(&arg.description, &arg.name),
        "required": !arg.is_omittable(), "name_localizations": localised(&arg.names),
        "description_localizations": localised(&arg.descriptions),
    });
    let limits = match arg.kind {
        ArgType::Integer | ArgType::Number => Some(("min_value", "max_value")),
        ArgType::String | ArgType::Text => Some(("min_length", "max_length")),
        _ => None,
    };
    if let Some((min, max)) = limits {
        let whole = |number: f64| if number.fract() == 0.0 { json!(number as i64) } else { json!(number) };
        for (name, limit) in [(min, arg.min), (max, arg.max)] {
            if let Some(limit) = limit {
                option[name] = whole(limit);
            }
        }
    }
    if arg.choices.len() > CHOICES_MAX {
        option["autocomplete"] = true.into();
    } else if !arg.choices.is_empty() {
        let named = |choice: &String| localised(arg.choice_names.get(choice).unwrap_or(&BTreeMap::new()));
        let choices = arg.choices.iter().map(|choice| (short(choice), named(choice)));
        option["choices"] = choices
            .map(|(choice, names)| json!({ "name": choice, "value": choice, "name_localizations": names }))
            .collect();
    }
    option
}

/// Returns the name of an argument in Discord's form: lower case, at most 32 characters.
pub(crate) fn option_name(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
        .take(32)
        .collect()
}

fn described(description: &str, name: &str) -> String {
    short(if description.trim().is_empty() { name } else { description })
}

fn short(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_MAX - 1).chain(['…']).collect()
}

/// Returns texts by language under Discord's language codes.
///
/// <https://discord.com/developers/docs/reference#locales>
fn localised(texts: &BTreeMap<String, String>) -> Value {
    const LANGUAGES: &[&str] = &[
        "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
        "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
    ];
    let base = |language: &str| language.split('-').next().unwrap_or_default().to_owned();
    let named = LANGUAGES.iter().filter_map(|language| {
        let text = texts.get(*language).or_else(|| texts.get(&base(language)))?;
        Some(((*language).to_owned(), Value::from(short(text))))
    });
    named.collect::<Map<_, _>>().into()
}

/// Returns the choices of an argument that match what a user has typed so far.
pub(crate) fn choices(commands: &[CommandSpec], data: &Value) -> Value {
    let command = data["name"].as_str().unwrap_or_default();
    let options = data["options"].as_array();
    let focused = options.and_then(|options| options.iter().find(|option| option["focused"] == true));
    let name = focused.and_then(|option| option["name"].as_str()).unwrap_or_default();
    let begun = focused.and_then(|option| option["value"].as_str()).unwrap_or_default().to_lowercase();
    let spec = commands.iter().find(|spec| spec.name == command);
    let arg = spec.and_then(|spec| spec.args.iter().find(|arg| option_name(&arg.name) == name));
    let all = arg.map(|arg| arg.choices.as_slice()).unwrap_or_default();
    let mut fitting: Vec<_> = all.iter().filter(|choice| choice.to_lowercase().contains(&begun)).collect();
    fitting.sort_by_key(|choice| !choice.to_lowercase().starts_with(&begun));
    fitting
        .into_iter()
        .take(CHOICES_MAX)
        .map(|choice| json!({ "name": short(choice), "value": short(choice) }))
        .collect()
}
