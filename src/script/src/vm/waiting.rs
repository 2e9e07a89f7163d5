//! Waits as the prelude requests them, and their outcomes as it takes them.

use std::time::Duration;

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use palabre_types::{Answer, Millis, Request, Wait};

/// Reads the wait that a hook requests.
pub(super) fn wait_of(request: &Table, now: Millis) -> mlua::Result<Wait> {
    let until = now.saturating_add(request.raw_get::<f64>("millis")? as u64);
    let text = |name: &str| request.raw_get::<String>(name);
    Ok(match text("kind")?.as_str() {
        "sleep" => Wait::Sleep { until },
        "ask" => Wait::Ask { room: text("room")?.into(), user: text("user")?.into(), until },
        "http" => Wait::Http { request: request_of(request)?, until },
        "delivery" => {
            let key = text("key")?.parse().ok();
            let key = key.ok_or_else(|| mlua::Error::runtime("this is not an action of the script"))?;
            Wait::Delivery { key, until }
        }
        _ => {
            let choices = choices_of(request)?;
            Wait::Choose { room: text("room")?.into(), user: text("user")?.into(), choices, until }
        }
    })
}

fn choices_of(request: &Table) -> mlua::Result<Vec<(String, String)>> {
    let pairs = request.raw_get::<Table>("choices")?;
    pairs
        .sequence_values::<Table>()
        .map(|pair| pair.and_then(|pair| Ok((pair.raw_get(1)?, pair.raw_get(2)?))))
        .collect()
}

fn request_of(table: &Table) -> mlua::Result<Request> {
    let headers = table.raw_get::<Table>("headers")?;
    let headers = headers
        .sequence_values::<Table>()
        .map(|pair| pair.and_then(|pair| Ok((pair.raw_get(1)?, pair.raw_get(2)?))))
        .collect::<mlua::Result<Vec<(String, String)>>>()?;
    let body: Option<LuaString> = table.raw_get("body")?;
    Ok(Request {
        method: table.raw_get("method")?,
        url: table.raw_get("url")?,
        headers,
        body: body.map(|body| body.as_bytes().to_vec()),
        timeout: Duration::from_millis(table.raw_get::<f64>("millis")? as u64),
    })
}

/// Converts the outcome of a wait to its return value, or to the error to raise there.
pub(super) fn answer(
    lua: &Lua,
    answer: &Answer,
    choices: &[(String, String)],
    timed_out: Option<&'static str>,
) -> mlua::Result<(LuaValue, Option<String>)> {
    Ok(match answer {
        Answer::TimeUp => (LuaValue::Nil, timed_out.map(ToOwned::to_owned)),
        Answer::Text(text) => {
            let chosen = choices.iter().find(|(action, _)| action == text);
            let text = chosen.map_or(text.as_str(), |(_, label)| label.as_str());
            (LuaValue::String(lua.create_string(text)?), None)
        }
        Answer::Reply(reply) => {
            let headers = lua.create_table()?;
            for (name, value) in &reply.headers {
                headers.raw_set(name.as_str(), value.as_str())?;
            }
            let table = lua.create_table()?;
            table.raw_set("status", reply.status)?;
            table.raw_set("ok", (200..300).contains(&reply.status))?;
            table.raw_set("url", reply.url.as_str())?;
            table.raw_set("headers", headers)?;
            table.raw_set("body", lua.create_string(&reply.body)?)?;
            (LuaValue::Table(table), None)
        }
        Answer::Failed(problem) => (LuaValue::Nil, Some(problem.clone())),
    })
}
