//! `command`: a command with its arguments, and its names in other languages.

use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{ArgSpec, ArgType, CommandSpec, Menu};
use serde_json::{Map, Value};

use super::admission::{keep, loading, room_for};
use super::options::{object, read};
use crate::api::check::text;
use crate::api::function::add;
use crate::limits::NAME_BYTES;
use crate::locale::Locales;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};

/// The maximum length of the description of a command or an argument, in characters.
const DESCRIPTION_MAX: usize = 200;
/// The maximum number of arguments of a command.
///
/// All arguments, and all choices of an argument, are examined whenever the command is used. No platform
/// lists more than 25 of either.
const ARGUMENTS_MAX: usize = 100;
/// The maximum number of choices of an argument; see [`ARGUMENTS_MAX`].
const CHOICES_MAX: usize = 1_000;
/// The maximum length of a command's name, in characters.
///
/// It is Discord's limit, so that a name works on all platforms.
const COMMAND_NAME_MAX: usize = 32;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, locales: Rc<Locales>) -> mlua::Result<()> {
    add(lua, host, "declare_command", run, move |_, run, (name, options): (LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        loading(&run, "command")?;
        let mut spec = command(&text(&name)?, &options)?;
        translate(&mut spec, &locales, &run);
        if run.declared.commands.iter().any(|other| other.name == spec.name) {
            return Err(format!("command: \"{}\" is declared twice", spec.name));
        }
        room_for(run.declared.commands.len(), "commands")?;
        keep(&mut run, &spec, of_translations(&spec))?;
        run.declared.commands.push(spec);
        Ok(true)
    })
}

fn command(name: &str, options: &LuaValue) -> Result<CommandSpec, Problem> {
    let what = format!("command \"{name}\"");
    check_command_name(name)?;
    let known = ["description", "args", "permission", "cooldown", "aliases", "hidden", "menu"];
    let mut map = object(&what, options, &known)?;
    map.insert("name".to_owned(), name.into());
    replace_duration(&what, &mut map, "cooldown")?;
    let mut spec: CommandSpec = read(&what, map)?;
    if spec.menu == Some(Menu::User) && spec.args.is_empty() {
        spec.args.push(ArgSpec { name: "user".to_owned(), kind: ArgType::Member, ..ArgSpec::default() });
    }
    spec.aliases.iter().try_for_each(|alias| check_command_name(alias))?;
    if spec.args.len() > ARGUMENTS_MAX {
        return Err(format!("{what}: it has {} arguments; a command has at most {ARGUMENTS_MAX}", spec.args.len()));
    }
    let of_args = spec.args.iter().map(|arg| &arg.description);
    if of_args.chain([&spec.description]).any(|description| description.chars().count() > DESCRIPTION_MAX) {
        return Err(format!("{what}: a description has at most {DESCRIPTION_MAX} characters"));
    }
    let mut optional = false;
    for (index, arg) in spec.args.iter().enumerate() {
        check_arg(&what, arg, index + 1 == spec.args.len())?;
        let is_omittable = arg.is_omittable();
        if optional && !is_omittable {
            return Err(format!("{what}: {} is required, so it cannot follow an optional argument", arg.name));
        }
        optional = is_omittable;
    }
    Ok(spec)
}

/// Adds names and descriptions in the languages of the script's locales.
fn translate(spec: &mut CommandSpec, locales: &Locales, run: &Run) {
    for language in locales.languages().take_while(|_| !run.is_stopped()) {
        let command = spec.name.clone();
        let text = |attribute: &str| locales.exactly(language, &format!("command-{command}.{attribute}"));
        let (name, description) = (text("name"), text("description"));
        // An invalid name is ignored: the translator is not the programmer.
        if let Some(name) = name.filter(|name| check_command_name(name).is_ok()) {
            if !spec.aliases.contains(&name) {
                spec.aliases.push(name.clone());
            }
            spec.names.insert(language.clone(), name);
        }
        if let Some(description) = description {
            spec.descriptions.insert(language.clone(), description);
        }
        for arg in spec.args.iter_mut().take_while(|_| !run.is_stopped()) {
            if let Some(name) = text(&format!("arg-{}", arg.name)).filter(|name| check_command_name(name).is_ok()) {
                arg.names.insert(language.clone(), name);
            }
            if let Some(description) = text(&format!("arg-{}-description", arg.name)) {
                arg.descriptions.insert(language.clone(), description);
            }
            for choice in &arg.choices {
                if let Some(name) = text(&format!("choice-{choice}")) {
                    arg.choice_names.entry(choice.clone()).or_default().insert(language.clone(), name);
                }
            }
        }
    }
}

fn check_command_name(name: &str) -> Result<(), Problem> {
    let fits = (1..=COMMAND_NAME_MAX).contains(&name.chars().count());
    if fits && name.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '_' || c == '-') {
        return Ok(());
    }
    Err(format!(
        "command: \"{name}\" is not a valid name for a command; use 1 to {COMMAND_NAME_MAX} lower-case letters, \
         digits, - or _, without a prefix"
    ))
}

fn check_arg(what: &str, arg: &ArgSpec, is_last: bool) -> Result<(), Problem> {
    if arg.name.is_empty() || arg.name.len() > NAME_BYTES {
        return Err(format!("{what}: an argument has no name"));
    }
    if arg.choices.len() > CHOICES_MAX {
        return Err(format!(
            "{what}: {} has {} choices; an argument has at most {CHOICES_MAX}",
            arg.name,
            arg.choices.len()
        ));
    }
    if arg.kind == ArgType::Choice && arg.choices.is_empty() {
        return Err(format!("{what}: {} has the type choice, but no choices", arg.name));
    }
    if arg.kind == ArgType::Text && !is_last {
        return Err(format!("{what}: {} takes the rest of the line, so it has to be the last argument", arg.name));
    }
    Ok(())
}

fn replace_duration(what: &str, map: &mut Map<String, Value>, key: &str) -> Result<(), Problem> {
    let Some(given) = map.get(key) else { return Ok(()) };
    let text = given.as_str().map_or_else(|| given.to_string(), ToOwned::to_owned);
    let parsed = palabre_types::parse_duration(&text)
        .and_then(|duration| u64::try_from(duration.as_millis()).ok())
        .ok_or_else(|| format!("{what}: {key} is a duration like \"3s\" or \"1h\""))?;
    map.insert(key.to_owned(), parsed.into());
    Ok(())
}

/// Returns the size of a command's names and descriptions in other languages, in bytes.
fn of_translations(spec: &CommandSpec) -> usize {
    let of = |texts: &BTreeMap<String, String>| {
        texts.iter().map(|(language, text)| 64 + language.len() + text.len()).sum::<usize>()
    };
    let args = spec
        .args
        .iter()
        .map(|arg| of(&arg.names) + of(&arg.descriptions) + arg.choice_names.values().map(of).sum::<usize>());
    of(&spec.names) + of(&spec.descriptions) + args.sum::<usize>()
}
