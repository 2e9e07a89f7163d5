//! `t`: the script's own texts, in the language of the event's user.

use std::rc::Rc;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use serde_json::{Map, Value};

use super::check::name;
use super::function::add;
use crate::limits::TRANSLATED_BYTES;
use crate::locale::Locales;
use crate::reply::Problem;
use crate::run::{Run, SharedRun};
use crate::value;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, locales: Rc<Locales>) -> mlua::Result<()> {
    add(lua, host, "translate", run, move |_, run, (key, args, language): (LuaString, LuaValue, Option<String>)| {
        let key = name(&key, "a text's key")?;
        let args = arguments(&args)?;
        let mut languages = languages(&run.borrow());
        languages.splice(0..0, language);
        let wanted: Vec<&str> = languages.iter().map(String::as_str).collect();
        let mut problems = Vec::new();
        let text = locales.message(&wanted, &key, &args, &mut problems);
        run.borrow_mut().warn(&problems);
        text.ok_or_else(|| format!("t: there is no text \"{key}\" in the script's locales/*.ftl"))?
            .map_err(|problem| format!("t: {problem}"))
    })
}

/// Returns the languages to try: the user's, the room's, then the bot's in bots.yaml.
pub(super) fn languages(run: &Run) -> Vec<String> {
    let Ok(input) = run.input() else { return Vec::new() };
    let event = &input.event;
    let of_user = event.user.as_ref().and_then(|user| user.locale.clone());
    let of_room = event.room.as_ref().and_then(|room| room.locale.clone());
    let of_bot = run.host.language(event.bot.name.as_str());
    of_user.into_iter().chain(of_room).chain(of_bot).collect()
}

fn arguments(args: &LuaValue) -> Result<Map<String, Value>, Problem> {
    match value::from_lua(args, TRANSLATED_BYTES).map_err(|problem| format!("t: {problem}"))? {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        _ => Err("t takes a key and a table of values by name".to_owned()),
    }
}
