//! Execution of commands: permission, cooldown and arguments; and the built-in help.

use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{ArgType, Attachment, Change, CommandSpec, EventKind, Menu, Millis, Permission, encode_value};
use serde_json::{Map, Value, json};

use super::function::add;
use super::locale::languages;
use crate::command::{Given, parse, usage};
use crate::locale::{FALLBACK, Locales};
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::value;

/// The runtime's own texts, by language.
const TEXTS: [(&str, &str); 2] = [("en", include_str!("../locales/en.ftl")), ("fr", include_str!("../locales/fr.ftl"))];
/// The scope of the cooldowns, by command and user. Scripts cannot name it.
const COOLDOWN_SCOPE: &[u8] = b"\x01cooldown\0";

/// The arguments of a command, or the reason why it is not run, for its user.
enum Verdict {
    Run(Map<String, Value>),
    Refuse(String),
}

/// The texts of the runtime, which the script's locales can override.
pub(super) struct RuntimeTexts {
    own: Rc<Locales>,
    built_in: Locales,
}

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, runtime_texts: Rc<RuntimeTexts>) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    let texts = Rc::clone(&runtime_texts);
    let begin = move |lua: &Lua, (name, arguments): (LuaString, LuaString)| {
        let mut run = shared.borrow_mut();
        let verdict = begin(&mut run, &texts, &name.to_string_lossy(), &arguments.to_string_lossy());
        Ok(match verdict {
            Ok(Verdict::Run(values)) => (value::to_lua(lua, &Value::Object(values))?, None, None),
            Ok(Verdict::Refuse(why)) => (LuaValue::Nil, Some(why), None),
            Err(problem) => (LuaValue::Nil, None, Some(problem)),
        })
    };
    host.set("command_begin", lua.create_function(begin)?)?;
    add(lua, host, "command_arguments", run, |lua, run, name: String| {
        let run = run.borrow();
        let spec = run.declared.commands.iter().find(|spec| spec.name == name);
        let list = || {
            let list = lua.create_table()?;
            for arg in spec.iter().flat_map(|spec| &spec.args) {
                list.raw_push(lua.create_sequence_from([arg.name.as_str(), arg.kind.as_str()])?)?;
            }
            Ok(list)
        };
        list().map_err(|error: mlua::Error| error.to_string())
    })?;
    let texts = Rc::clone(&runtime_texts);
    add(lua, host, "say_built_in", run, move |_, run, (key, args): (String, LuaValue)| {
        let args = match value::from_lua(&args, 4_096)? {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Ok(texts.say(&mut run.borrow_mut(), &key, &args))
    })?;
    add(lua, host, "commands", run, |lua, run, ()| {
        let run = run.borrow();
        let level = level(&run)?;
        let spoken = languages(&run);
        let list: Vec<Value> = run
            .host
            .commands()
            .iter()
            .take_while(|_| !run.is_stopped())
            .filter(|(_, spec)| !spec.hidden && spec.permission <= level)
            .map(|(script, spec)| {
                json!({
                    "name": spec.name, "script": script.as_str(), "usage": usage(spec),
                    "description": described(spec, &spoken), "aliases": spec.aliases,
                    "permission": spec.permission.as_str(),
                    "args": spec.args.iter().map(|arg| json!({
                        "name": arg.name, "type": arg.kind.as_str(), "description": arg.description,
                        "optional": arg.is_omittable(),
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let watch = run.watch();
        value::to_lua_within(lua, &Value::Array(list), &watch).map_err(|error| error.to_string())
    })?;
    add(lua, host, "may", run, |_, run, wanted: LuaString| {
        let wanted = wanted.to_string_lossy();
        let known = Permission::named(&wanted).ok_or_else(|| {
            let names: Vec<_> = Permission::ALL.iter().map(|level| level.as_str()).collect();
            format!("may: there is no permission level {wanted}; the levels are {}", names.join(", "))
        })?;
        Ok(level(&run.borrow())? >= known)
    })?;
    add(lua, host, "permission", run, |_, run, ()| Ok(level(&run.borrow())?.as_str()))
}

/// Returns the description of a command in the first of these languages that has one.
fn described<'s>(spec: &'s CommandSpec, languages: &[String]) -> &'s str {
    let tried =
        languages.iter().flat_map(|language| [language.as_str(), language.split(['-', '_']).next().unwrap_or("")]);
    let found = tried.filter_map(|language| spec.descriptions.get(language)).next();
    found.map_or_else(|| spec.description.as_str(), String::as_str)
}

fn level(run: &Run) -> Result<Permission, Problem> {
    Ok(run.host.permission(&run.input()?.event))
}

fn begin(run: &mut Run, runtime_texts: &RuntimeTexts, name: &str, arguments: &str) -> Result<Verdict, Problem> {
    let spec = run.declared.commands.iter().find(|spec| spec.name == name).cloned();
    let spec: CommandSpec = spec.ok_or_else(|| format!("there is no command {name} in this version of the script"))?;
    let event = std::sync::Arc::clone(&run.input()?.event);
    if level(run)? < spec.permission {
        let args = [("command", spec.name.clone().into()), ("level", spec.permission.as_str().into())];
        return Ok(Verdict::Refuse(runtime_texts.say(
            run,
            "not-permitted",
            &args.map(|(k, v)| (k.to_owned(), v)).into_iter().collect(),
        )));
    }
    let (message, options) = match &event.kind {
        EventKind::Command { message, options, .. } => (message.as_ref(), options.as_ref()),
        _ => (None, None),
    };
    let files: &[Attachment] = message.map(|message| &*message.content.attachments).unwrap_or_default();
    let given = Given { text: arguments, options, files };
    let bot = event.bot.name.as_str();
    let host = Rc::clone(&run.host);
    let values = match parse(&spec, &given, &|word| host.user_named(bot, &event, word)) {
        Ok(values) => values,
        Err(misfit) => {
            let args = [("arg", misfit.arg), ("given", misfit.given), ("limit", misfit.limit), ("usage", usage(&spec))];
            let args: Map<_, _> = args.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
            let (what, how) = (runtime_texts.say(run, misfit.key, &args), runtime_texts.say(run, "usage", &args));
            return Ok(Verdict::Refuse(format!("{what} {how}")));
        }
    };
    let mut values = values;
    if spec.menu == Some(Menu::Message) {
        // From the menu it is the message itself; if the command was typed, the message that it replies to.
        let meant = options.and_then(|options| options.get("message")).cloned();
        let answered = message.and_then(|message| message.reply_to.as_ref()).map(|id| json!({ "id": id }));
        match meant.or(answered) {
            Some(message) => drop(values.insert("message".to_owned(), message)),
            None => return Ok(Verdict::Refuse(runtime_texts.say(run, "arg-message", &Map::new()))),
        }
    }
    for arg in spec.args.iter().filter(|arg| arg.kind == ArgType::Member) {
        let Some(Value::Object(found)) = values.get_mut(&arg.name) else { continue };
        let id = found.get("id").and_then(Value::as_str).unwrap_or_default().into();
        if let Some(member) = run.host.member(&event, &id) {
            found.insert("roles".to_owned(), member.roles.into());
            found.insert("muted".to_owned(), member.muted.into());
            found.insert("nickname".to_owned(), member.nickname.into());
        }
    }
    if let (Some(pause), Some(user)) = (spec.cooldown, &event.user) {
        let mut key = COOLDOWN_SCOPE.to_vec();
        key.extend_from_slice(format!("{name}:{}", user.id).as_bytes());
        let now = run.now();
        // A cooldown longer than the maximum was set before the clock was set back; it is ignored.
        let is_possible = |until: &Millis| *until <= now.saturating_add(pause);
        if let Some(until) = run.read(&key)?.and_then(|stored| stored.expires).filter(is_possible) {
            let seconds = until.saturating_sub(now).div_ceil(1_000).max(1);
            let args = [("command".to_owned(), Value::from(name)), ("seconds".to_owned(), seconds.into())];
            return Ok(Verdict::Refuse(runtime_texts.say(run, "cooldown", &args.into_iter().collect())));
        }
        let expires = Some(now.saturating_add(pause));
        run.write(key, Change::Set { value: encode_value(&Value::Bool(true)).into(), expires })?;
    }
    Ok(Verdict::Run(values))
}

impl RuntimeTexts {
    /// Combines the texts of the runtime with `own`, those of the script.
    pub(super) fn new(own: Rc<Locales>) -> mlua::Result<Self> {
        let texts = TEXTS.iter().map(|(language, text)| ((*language).to_owned(), (*text).to_owned())).collect();
        Ok(Self { own, built_in: Locales::new(&texts).map_err(mlua::Error::runtime)? })
    }

    /// Returns a text of the runtime, or the script's replacement, `palabre-` and the key.
    pub(super) fn say(&self, run: &mut Run, key: &str, args: &Map<String, Value>) -> String {
        let own = format!("palabre-{key}");
        let languages = languages(run);
        let tried = languages.iter().map(String::as_str).chain([FALLBACK]);
        // Per language the script's text comes first, so that all texts of one answer are in one language.
        let mut problems = Vec::new();
        let text = tried
            .filter_map(|language| {
                let of_script = self.own.message_in(language, &own, args, &mut problems);
                of_script.or_else(|| self.built_in.message_in(language, key, args, &mut problems))
            })
            .next();
        run.warn(&problems);
        text.unwrap_or_else(|| key.to_owned())
    }
}
