//! The commands of an application.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::bits;
use crate::discord::state::State;
use crate::json::{drop_nulls, merge, without};

use super::call::Call;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

fn scope(state: &State, call: &Call) -> Result<Option<Id>, Refusal> {
    if call.id("application_id") != state.bot {
        return Err(Refusal::new(404, 10002, "Unknown Application"));
    }
    let guild = call.find("guild_id").and_then(|guild| guild.parse().ok());
    match guild {
        Some(guild) if !state.guilds.contains_key(&guild) => Err(Refusal::missing_access()),
        guild => Ok(guild),
    }
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let scope = scope(state, call)?;
    let localised = call.asks("with_localizations");
    let all = state.commands.by_scope.get(&scope).into_iter().flat_map(BTreeMap::values);
    Reply::ok(all.map(|command| if localised { command.clone() } else { without_localizations(command) }).collect())
}

/// Removes localisations, which a list contains only on request.
fn without_localizations(command: &Value) -> Value {
    let mut command = without(command.clone(), &["name_localizations", "description_localizations"]);
    if let Some(options) = command.get_mut("options").and_then(Value::as_array_mut) {
        options.iter_mut().for_each(|option| *option = without_localizations(option));
    }
    command
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let scope = scope(state, call)?;
    let command = state.commands.by_scope.get(&scope).and_then(|all| all.get(&call.id("command_id")));
    Reply::ok(command.cloned().ok_or_else(Refusal::unknown_command)?)
}

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let (scope, body) = (scope(state, call)?, call.body_or_null());
    check("", &body)?;
    state.counters.command_writes += 1;
    let (command, new) = state.register(scope, &body)?;
    if new { Reply::created(command) } else { Reply::ok(command) }
}

pub(super) fn update(state: &mut State, call: &Call) -> Outcome {
    let (scope, id, body) = (scope(state, call)?, call.id("command_id"), call.body_or_null());
    let old = state.commands.by_scope.get(&scope).and_then(|all| all.get(&id)).cloned();
    let mut new = old.ok_or_else(Refusal::unknown_command)?;
    merge(&mut new, body);
    check("", &new)?;
    state.counters.command_writes += 1;
    new["version"] = json!(state.fresh_id());
    state.commands.by_scope.entry(scope).or_default().insert(id, new.clone());
    Reply::ok(new)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let scope = scope(state, call)?;
    let removed = state.commands.by_scope.get_mut(&scope).and_then(|all| all.remove(&call.id("command_id")));
    removed.ok_or_else(Refusal::unknown_command)?;
    state.counters.command_writes += 1;
    Reply::nothing()
}

pub(super) fn set_all(state: &mut State, call: &Call) -> Outcome {
    let (scope, body) = (scope(state, call)?, call.body_or_null());
    let wanted = body.as_array().cloned().unwrap_or_default();
    let mut names = HashSet::new();
    for (index, command) in wanted.iter().enumerate() {
        check(&format!("/{index}"), command)?;
        if !names.insert((command["type"].as_u64().unwrap_or(1), command["name"].as_str())) {
            let why = "Application command names must be unique";
            return Err(Refusal::form(&format!("/{index}/name"), why));
        }
    }
    state.counters.command_writes += 1;
    let old = state.commands.by_scope.remove(&scope).unwrap_or_default();
    state.commands.by_scope.insert(scope, BTreeMap::new());
    let mut all = Vec::new();
    for command in &wanted {
        // An existing command keeps its id.
        let same =
            |one: &&Value| one["name"] == command["name"] && one["type"] == command["type"].as_u64().unwrap_or(1);
        if let Some(known) = old.values().find(same) {
            let id = Id::of(known, "id").expect("a command has an id");
            state.commands.by_scope.entry(scope).or_default().insert(id, known.clone());
        }
        all.push(state.register(scope, command)?.0);
    }
    Reply::ok(Value::Array(all))
}

impl State {
    /// Registers a command. One of the same name and kind is replaced and keeps its id.
    fn register(&mut self, scope: Option<Id>, body: &Value) -> Result<(Value, bool), Refusal> {
        let kind = body["type"].as_u64().unwrap_or(1);
        let all = self.commands.by_scope.entry(scope).or_default();
        let known = all.iter().find(|(_, one)| one["name"] == body["name"] && one["type"] == kind).map(|(id, _)| *id);
        let same_kind = all.values().filter(|one| one["type"] == kind).count();
        if known.is_none() && same_kind >= if kind == 1 { 100 } else { 15 } {
            return Err(Refusal::new(400, 30032, "Maximum number of application commands reached"));
        }
        let (id, version) = (known.unwrap_or_else(|| self.fresh_id()), self.fresh_id());
        let mut command = json!({
            "id": id, "application_id": self.bot, "version": version, "type": kind, "name": body["name"],
            "description": body["description"].as_str().unwrap_or_default(), "default_member_permissions": null,
            "nsfw": false, "name_localizations": null, "description_localizations": null, "contexts": null,
            "integration_types": [0], "dm_permission": true,
        });
        let mut given = body.clone();
        drop_nulls(&mut given);
        if !given["default_member_permissions"].is_null() {
            given["default_member_permissions"] = json!(bits(&given["default_member_permissions"]).to_string());
        }
        merge(&mut command, given);
        if let Some(guild) = scope {
            command["guild_id"] = json!(guild);
            command = without(command, &["dm_permission"]);
        }
        self.commands.by_scope.entry(scope).or_default().insert(id, command.clone());
        Ok((command, known.is_none()))
    }
}

fn valid_name() -> &'static Regex {
    static NAME: OnceLock<Regex> = OnceLock::new();
    NAME.get_or_init(|| Regex::new(r"^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$").expect("a pattern that compiles"))
}

fn check(at: &str, command: &Value) -> Result<(), Refusal> {
    let kind = command["type"].as_u64().unwrap_or(1);
    let name = command["name"].as_str().unwrap_or_default();
    let description = command["description"].as_str().unwrap_or_default();
    if kind == 1 {
        check_name(at, command)?;
        if description.is_empty() || description.chars().count() > 100 {
            return Err(Refusal::form(&format!("{at}/description"), "Must be between 1 and 100 in length."));
        }
        if size(command) > 8_000 {
            return Err(Refusal::form(at, "Command exceeds maximum size (8000)"));
        }
        return check_options(at, command);
    }
    if name.is_empty() || name.chars().count() > 32 {
        return Err(Refusal::form(&format!("{at}/name"), "Must be between 1 and 32 in length."));
    }
    if !description.is_empty() || command["options"].as_array().is_some_and(|options| !options.is_empty()) {
        return Err(Refusal::form(
            &format!("{at}/description"),
            "Context menu commands cannot have description or options",
        ));
    }
    Ok(())
}

/// Checks names of commands and options in all languages.
///
/// They consist of letters, digits, `-` and `_`, in lower case where it exists.
fn check_name(at: &str, named: &Value) -> Result<(), Refusal> {
    let good = |name: &str| valid_name().is_match(name) && name == name.to_lowercase();
    if !named["name"].as_str().is_some_and(good) {
        return Err(Refusal::form(&format!("{at}/name"), "Command name is invalid"));
    }
    for (language, name) in named["name_localizations"].as_object().into_iter().flatten() {
        if !name.as_str().is_some_and(good) {
            return Err(Refusal::form(&format!("{at}/name_localizations/{language}"), "Command name is invalid"));
        }
    }
    Ok(())
}

fn check_options(at: &str, parent: &Value) -> Result<(), Refusal> {
    let options = parent["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut names = HashSet::new();
    let mut optional = false;
    for (index, option) in options.iter().enumerate() {
        let at = format!("{at}/options/{index}");
        check_name(&at, option)?;
        if !names.insert(option["name"].as_str()) {
            return Err(Refusal::form(&format!("{at}/name"), "Option names must be unique"));
        }
        if option["required"] == true && optional {
            return Err(Refusal::form(
                &format!("{at}/required"),
                "Required options must be placed before non-required options",
            ));
        }
        optional |= option["required"] != true && !matches!(option["type"].as_u64(), Some(1 | 2));
        let choices = option["choices"].as_array().map(Vec::as_slice).unwrap_or_default();
        if choices.len() > 25 || !choices.is_empty() && option["autocomplete"] == true {
            return Err(Refusal::form(&format!("{at}/choices"), "25 choices at most, and none beside autocomplete"));
        }
        let distinct: HashSet<_> = choices.iter().filter_map(|choice| choice["name"].as_str()).collect();
        if distinct.len() != choices.len() {
            return Err(Refusal::form(&format!("{at}/choices"), "Option choice names must be unique"));
        }
        check_options(&at, option)?;
    }
    Ok(())
}

/// The total length of names, descriptions and values.
fn size(value: &Value) -> usize {
    let own: usize = ["name", "description", "value"]
        .iter()
        .filter_map(|field| value[*field].as_str())
        .map(|text| text.chars().count())
        .sum();
    let children = ["options", "choices"].into_iter().flat_map(|field| value[field].as_array().into_iter().flatten());
    own + children.map(size).sum::<usize>()
}
