//! `command`, `hear`, `every`, `route` and `exports`: the declarations of a script while it loads.

use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_model::{ArgSpec, ArgType, CommandSpec, Menu};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::check::{granted, millis, name as named, text};
use super::function::add;
use crate::declarations::{DECLARATIONS_MAX, Missed, PatternKind, PatternSpec, RouteSpec, TaskSpec};
use crate::limits::{DECLARED_BYTES, Limit, NAME_BYTES};
use crate::locale::Locales;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::value;
use crate::yaml::nearest;

/// The maximum size of one declaration, in bytes. The largest is a list of many thousand words.
const DECLARATION_BYTES: usize = 4 << 20;
/// The overhead of a word in addition to its letters, in bytes.
const WORD_OVERHEAD: usize = 16;
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
    })?;
    add(lua, host, "declare_pattern", run, |_, run, what: LuaValue| {
        let mut run = run.borrow_mut();
        loading(&run, "hear")?;
        room_for(run.declared.patterns.len(), "patterns")?;
        let (spec, size) = pattern(&what, run.declared.patterns.len())?;
        let key = spec.key.clone();
        if !run.declared.patterns.iter().any(|other| other.key == spec.key) {
            match &spec.what {
                PatternKind::Regex(_) => run.spend_listening(size, 0)?,
                PatternKind::Words { .. } => run.spend_listening(0, size)?,
            }
            keep(&mut run, &spec, 0)?;
            run.declared.patterns.push(spec);
        }
        Ok(key)
    })?;
    add(lua, host, "declare_task", run, |_, run, (schedule, options): (LuaValue, LuaValue)| {
        let mut run = run.borrow_mut();
        loading(&run, "every")?;
        room_for(run.declared.tasks.len(), "tasks")?;
        let spec = task(&schedule, &options, run.declared.tasks.len())?;
        if run.declared.tasks.iter().any(|other| other.name == spec.name) {
            return Err(format!("every: there is a task named \"{}\" already", spec.name));
        }
        if let Some(unknown) = spec.after.iter().find(|name| !run.declared.tasks.iter().any(|task| task.name == **name))
        {
            return Err(format!("every: after names \"{unknown}\", but no task of that name was declared before it"));
        }
        keep(&mut run, &spec, 0)?;
        let name = spec.name.clone();
        run.declared.tasks.push(spec);
        Ok(name)
    })?;
    add(lua, host, "declare_route", run, |_, run, (method, path, options): (LuaString, LuaString, LuaValue)| {
        let mut run = run.borrow_mut();
        loading(&run, "route")?;
        granted(&run, "routes", "answering over HTTP")?;
        room_for(run.declared.routes.len(), "routes")?;
        let mut spec = route(&text(&method)?, &text(&path)?, &options)?;
        spec.limits = run.limits.request();
        let key = spec.key();
        if run.declared.routes.iter().any(|other| other.key() == key) {
            return Err(format!("route: {key} is declared twice"));
        }
        keep(&mut run, &spec, 0)?;
        run.declared.routes.push(spec);
        Ok(key)
    })?;
    add(lua, host, "declare_export", run, |_, run, name: LuaString| {
        let mut run = run.borrow_mut();
        room_for(run.declared.exports.len(), "exports")?;
        loading(&run, "exports")?;
        let name = named(&name, "an exported function's name")?;
        if !run.declared.exports.contains(&name) {
            keep(&mut run, &name, 0)?;
            run.declared.exports.push(name);
        }
        Ok(true)
    })
}

fn loading(run: &Run, what: &str) -> Result<(), Problem> {
    if run.is_loading { Ok(()) } else { Err(format!("{what} is called while the script loads, not inside a hook")) }
}

fn room_for(count: usize, what: &str) -> Result<(), Problem> {
    if count < DECLARATIONS_MAX { Ok(()) } else { Err(format!("a script has at most {DECLARATIONS_MAX} {what}")) }
}

/// Counts the size of a declaration, and `more` bytes that are not in its serialised form.
///
/// It stays in the host's memory for as long as this version of the script runs.
fn keep(run: &mut Run, spec: &impl Serialize, more: usize) -> Result<(), Problem> {
    const OVERHEAD: usize = 256;
    let bytes = serde_json::to_string(spec).map_or(0, |text| text.len());
    run.declared_bytes = run.declared_bytes.saturating_add(OVERHEAD + bytes).saturating_add(more);
    if run.declared_bytes > DECLARED_BYTES { Err(run.trip(Limit::Declared)) } else { Ok(()) }
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

/// Converts options to a JSON object and checks that all their names are known.
fn object(what: &str, options: &LuaValue, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    if options.is_nil() {
        return Ok(Map::new());
    }
    let mut json = value::from_lua(options, DECLARATION_BYTES).map_err(|problem| format!("{what}: {problem}"))?;
    value::fill_lists(&mut json, &["args", "aliases", "choices", "after", "words"]);
    let map = match json {
        Value::Object(map) => map,
        // An empty Lua table may have become a list.
        Value::Array(list) if list.is_empty() => Map::new(),
        _ => return Err(format!("{what}: options are a table with names")),
    };
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(map),
        Some(unknown) => {
            Err(format!("{what}: there is no option {unknown}{}", nearest(unknown, known.iter().copied())))
        }
    }
}

fn read<T: DeserializeOwned>(what: &str, map: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(map)).map_err(|error| format!("{what}: {error}"))
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

/// Returns the declared pattern or word list, and its size in bytes.
fn pattern(what: &LuaValue, index: usize) -> Result<(PatternSpec, usize), Problem> {
    match what {
        LuaValue::String(regex) => {
            let regex = text(regex)?;
            regex_spec(regex, false)
        }
        LuaValue::Table(_) => {
            #[derive(serde::Deserialize)]
            struct Listening {
                #[serde(default)]
                pattern: Option<String>,
                #[serde(default)]
                words: Option<Vec<String>>,
                #[serde(default)]
                normalise: bool,
                #[serde(default)]
                edits: bool,
            }
            let known = ["pattern", "words", "normalise", "edits"];
            let what: Listening = read("hear", object("hear", what, &known)?)?;
            let Listening { normalise, edits, .. } = what;
            match (what.pattern, what.words) {
                (Some(regex), None) => regex_spec(regex, edits),
                (None, Some(words)) => {
                    // Checked here so that the error is raised at the script's own line.
                    palabre_text::check_words(&words).map_err(|error| format!("hear: {error}"))?;
                    let key = format!("words {}", index + 1);
                    let size = words.iter().map(|word| word.len() + WORD_OVERHEAD).sum();
                    let what = PatternKind::Words { words: words.into(), normalise };
                    Ok((PatternSpec { key, what, edits }, size))
                }
                _ => Err("hear takes either a pattern or words".to_owned()),
            }
        }
        other => Err(format!("hear takes a regular expression or {{ words = … }}, not a {}", other.type_name())),
    }
}

fn regex_spec(regex: String, edits: bool) -> Result<(PatternSpec, usize), Problem> {
    let size = palabre_text::pattern_size(&regex).map_err(|error| format!("hear: {error}"))?;
    // The same expression with and without edits counts as two patterns.
    let key = format!("{} {regex}", if edits { "regex+edits" } else { "regex" });
    Ok((PatternSpec { key, what: PatternKind::Regex(regex), edits }, size))
}

fn task(schedule: &LuaValue, options: &LuaValue, index: usize) -> Result<TaskSpec, Problem> {
    let schedule = match schedule {
        LuaValue::String(schedule) => text(schedule)?,
        LuaValue::Integer(_) | LuaValue::Number(_) => format!("{} ms", millis(schedule)?),
        _ => {
            return Err("every takes a cron expression like \"0 9 * * MON-FRI\", or a duration like \"10m\"".to_owned());
        }
    };
    let what = format!("every(\"{schedule}\")");
    let mut map = object(&what, options, &["name", "zone", "after", "priority", "retries", "missed"])?;
    map.entry("name").or_insert_with(|| format!("task {}", index + 1).into());
    map.insert("schedule".to_owned(), schedule.into());
    if let Some(after @ Value::String(_)) = map.get("after").cloned() {
        map.insert("after".to_owned(), Value::Array(vec![after]));
    }
    let spec: TaskSpec = read(&what, map)?;
    if spec.after.len() > DECLARATIONS_MAX {
        return Err(format!("{what}: after names more than {DECLARATIONS_MAX} tasks"));
    }
    if spec.name.is_empty() || spec.name.len() > NAME_BYTES {
        return Err(format!("{what}: a task's name has 1 to {NAME_BYTES} bytes"));
    }
    let parsed = crate::schedule::Schedule::of(&spec).map_err(|problem| format!("{what}: {problem}"))?;
    if parsed.is_interval() && (spec.missed == Missed::Run || spec.zone.is_some()) {
        return Err(format!("{what}: zone and missed are for cron expressions, not for intervals"));
    }
    Ok(spec)
}

fn route(method: &str, path: &str, options: &LuaValue) -> Result<RouteSpec, Problem> {
    let what = format!("route(\"{method}\", \"{path}\")");
    if !["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method) {
        return Err(format!("{what}: the method is GET, POST, PUT, PATCH or DELETE"));
    }
    let part = |part: &str| {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')).unwrap_or(part);
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
    };
    let inside = path.strip_prefix('/').ok_or_else(|| format!("{what}: a path begins with /"))?;
    if path.len() > NAME_BYTES || !(inside.is_empty() || inside.split('/').all(part)) {
        return Err(format!("{what}: a path is made of /, letters, digits, - _ . ~ and parts like {{name}}"));
    }
    let mut map = object(&what, options, &["auth", "description", "body"])?;
    map.insert("method".to_owned(), method.into());
    map.insert("path".to_owned(), path.into());
    read(&what, map)
}

fn replace_duration(what: &str, map: &mut Map<String, Value>, key: &str) -> Result<(), Problem> {
    let Some(given) = map.get(key) else { return Ok(()) };
    let text = given.as_str().map_or_else(|| given.to_string(), ToOwned::to_owned);
    let parsed = palabre_model::parse_duration(&text)
        .and_then(|duration| u64::try_from(duration.as_millis()).ok())
        .ok_or_else(|| format!("{what}: {key} is a duration like \"3s\" or \"1h\""))?;
    map.insert(key.to_owned(), parsed.into());
    Ok(())
}
