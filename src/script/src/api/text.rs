//! `text`: text functions. They bound the length of their arguments, so that none takes long.

use std::collections::BTreeMap;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_text as text;
use serde_json::json;

use super::function::add;
use super::locale::languages;
use crate::locale::FALLBACK;
use crate::reply::Problem;
use crate::run::SharedRun;
use crate::value;
use crate::watch::STOPPED;

/// The maximum length of a text, in bytes.
const TEXT_BYTES: usize = 64 << 10;
/// The maximum length of texts for `similarity`, in bytes: its time is the product of both lengths.
const SIMILAR_BYTES: usize = 1 << 10;
/// The maximum length of a language tag, in bytes.
const LANGUAGE_BYTES: usize = 64;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    // Done here so that it does not count against the CPU budget of the first script that needs it.
    text::warm_up();
    add(lua, host, "text_escape", run, |_, _, given: LuaString| {
        Ok(text::escape(&checked("escape", &given, TEXT_BYTES)?))
    })?;
    add(lua, host, "text_truncate", run, |_, _, (given, length, ending): (LuaString, f64, Option<String>)| {
        let given = checked("truncate", &given, TEXT_BYTES)?;
        if !(length >= 0.0 && length.is_finite()) {
            return Err("text.truncate takes a text and the maximum number of characters".to_owned());
        }
        Ok(text::truncate(&given, length as usize, ending.as_deref().unwrap_or("…")))
    })?;
    add(lua, host, "text_similarity", run, |_, _, (one, other): (LuaString, LuaString)| {
        let one = checked("similarity", &one, SIMILAR_BYTES)?;
        Ok(text::similarity(&one, &checked("similarity", &other, SIMILAR_BYTES)?))
    })?;
    add(lua, host, "text_normalise", run, |_, run, given: LuaString| {
        let given = checked("normalise", &given, TEXT_BYTES)?;
        let normalised = text::normalise_while(&given, &|| !run.borrow().is_stopped());
        normalised.map(text::Normalised::into_text).ok_or_else(|| STOPPED.to_owned())
    })?;
    add(lua, host, "text_links", run, |lua, run, given: LuaString| {
        let given = checked("links", &given, TEXT_BYTES)?;
        let links = text::links_while(&given, &|| !run.borrow().is_stopped()).ok_or_else(|| STOPPED.to_owned())?;
        let links = links.into_iter().map(|link| {
            // Lua counts from 1 and includes the end.
            json!({ "url": link.url, "host": link.host, "start": link.start + 1, "stop": link.end })
        });
        let watch = run.borrow().watch();
        value::to_lua_within(lua, &links.collect(), &watch).map_err(|error| run.borrow_mut().failed(&error))
    })?;
    add(lua, host, "text_mentions", run, |lua, run, given: LuaString| {
        let given = checked("mentions", &given, TEXT_BYTES)?;
        let mentions = text::mentions(&given).into_iter().map(|mention| {
            let kind = match mention.kind {
                text::MentionKind::User => "user",
                text::MentionKind::Role => "role",
                text::MentionKind::Room => "room",
                text::MentionKind::Everyone => "everyone",
            };
            let mut found = json!({ "kind": kind, "start": mention.start + 1, "stop": mention.end });
            for (name, value) in [("id", mention.id), ("name", mention.name)] {
                if let Some(value) = value {
                    found[name] = value.into();
                }
            }
            found
        });
        let watch = run.borrow().watch();
        value::to_lua_within(lua, &mentions.collect(), &watch).map_err(|error| run.borrow_mut().failed(&error))
    })?;
    add(lua, host, "text_plural", run, |_, run, (count, forms, language): (f64, LuaValue, Option<String>)| {
        if language.as_ref().is_some_and(|language| language.len() > LANGUAGE_BYTES) {
            return Err("text.plural: write a language as en, fr or pt-BR".to_owned());
        }
        let forms = value::from_lua(&forms, TEXT_BYTES)?;
        let forms: BTreeMap<String, String> = serde_json::from_value(forms)
            .map_err(|error| format!("text.plural takes a number and forms like {{ one = …, other = … }}: {error}"))?;
        let language = language.unwrap_or_else(|| spoken(&run.borrow()));
        text::plural(&language, count, &forms).map(ToOwned::to_owned).map_err(|error| error.to_string())
    })?;
    add(lua, host, "text_duration", run, |_, run, (seconds, language): (f64, Option<String>)| {
        let language = language.unwrap_or_else(|| spoken(&run.borrow()));
        Ok(text::duration(seconds, &language))
    })
}

fn spoken(run: &crate::run::Run) -> String {
    languages(run).into_iter().next().unwrap_or_else(|| FALLBACK.to_owned())
}

fn checked(name: &str, given: &LuaString, longest: usize) -> Result<String, Problem> {
    if given.as_bytes().len() > longest {
        return Err(format!("text.{name} takes a text of at most {longest} bytes"));
    }
    super::check::text(given)
}
