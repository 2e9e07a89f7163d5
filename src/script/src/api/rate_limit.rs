//! `limit`: whether something happens too often.

use mlua::{Lua, LuaString, Table};
use palabre_types::{Change, decode_value, encode_value};
use serde_json::Value;

use super::function::add;
use crate::limits::KEY_BYTES;
use crate::reply::Problem;
use crate::run::SharedRun;

/// The scope of `limit`, which stores recent times by key. Scripts cannot name it.
const LIMIT_SCOPE: &[u8] = b"\x01limit\0";

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "limit", run, |_, run, (name, rate): (LuaString, LuaString)| {
        let (count_max, window) = rate_of(&rate.to_string_lossy())?;
        let key = [LIMIT_SCOPE, &*name.as_bytes()].concat();
        if !(1..=KEY_BYTES).contains(&name.as_bytes().len()) {
            return Err(format!("limit: a key has 1 to {KEY_BYTES} bytes"));
        }
        let mut run = run.borrow_mut();
        let now = run.input()?.now;
        let mut times: Vec<Value> = match run.read(&key)?.map(|stored| decode_value(&stored.value)).transpose()? {
            Some(Value::Array(times)) => times,
            _ => Vec::new(),
        };
        // A time further ahead than the window was recorded before the clock was set back; it is ignored.
        let counts = |time: u64| time.saturating_add(window) > now && time < now.saturating_add(window);
        times.retain(|time| time.as_u64().is_some_and(counts));
        if times.len() >= count_max {
            return Ok(false);
        }
        times.push(now.into());
        let value = encode_value(&Value::Array(times)).into();
        run.write(key, Change::Set { value, expires: Some(now.saturating_add(window)) })?;
        Ok(true)
    })
}

/// Parses a rate such as `5/10s`: the count, and the window in milliseconds.
fn rate_of(rate: &str) -> Result<(usize, u64), Problem> {
    let parsed = rate.split_once('/').filter(|_| rate.len() <= 64).and_then(|(count, window)| {
        let count: usize = count.trim().parse().ok().filter(|count| (1..=1_000).contains(count))?;
        let window = palabre_types::parse_duration(window)?.as_millis();
        Some((count, u64::try_from(window).ok().filter(|window| *window > 0)?))
    });
    parsed.ok_or_else(|| format!("limit: \"{rate}\" is not a rate; write a count (at most 1000) and a time: \"5/10s\""))
}
