//! `store`, `limit` and `timers`.

use mlua::{Lua, LuaString, Table, Value as LuaValue};
use serde_json::Value;

use super::check::millis;
use super::function::add;
use crate::effects::{Change, TimerChange};
use crate::limits::{KEY_BYTES, NAME_BYTES, TIMER_BYTES, VALUE_BYTES};
use crate::reply::{Problem, reply};
use crate::run::SharedRun;
use crate::value;

/// The maximum number of rows that one scan returns.
const PAGE_ROWS_MAX: usize = 1_000;
/// The scope of `limit`, which stores recent times by key. Scripts cannot name it.
const LIMIT_SCOPE: &[u8] = b"\x01limit\0";

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
    add(lua, host, "get", run, |lua, run, (scope, name): (LuaString, LuaValue)| {
        let key = key(&scope, &name)?;
        run.borrow().input()?;
        let found = run.borrow().read(&key)?;
        match found {
            Some(stored) => {
                let watch = run.borrow().watch();
                let value = value::to_lua_within(lua, &value::decode(&stored.value)?, &watch);
                value.map_err(|error| run.borrow_mut().failed(&error))
            }
            None => Ok(LuaValue::Nil),
        }
    })?;
    add(
        lua,
        host,
        "set",
        run,
        |_, run, (scope, name, new, ttl, keep): (LuaString, LuaValue, LuaValue, LuaValue, bool)| {
            let key = key(&scope, &name)?;
            if new.is_nil() {
                return run.borrow_mut().write(key, Change::Delete).map(|()| true);
            }
            let new = value::from_lua(&new, VALUE_BYTES)
                .map_err(|problem| format!("this value cannot be stored: {problem}"))?;
            if new.is_null() {
                return run.borrow_mut().write(key, Change::Delete).map(|()| true);
            }
            let ttl = if ttl.is_nil() { None } else { Some(millis(&ttl)?) };
            let mut run = run.borrow_mut();
            let expires = match ttl {
                Some(ttl) => Some(run.now().saturating_add(ttl)),
                None if keep => run.read(&key)?.and_then(|old| old.expires),
                None => None,
            };
            run.write(key, Change::Set { value: value::encode(&new).into(), expires }).map(|()| true)
        },
    )?;
    add(lua, host, "delete", run, |_, run, (scope, name): (LuaString, LuaValue)| {
        run.borrow_mut().write(key(&scope, &name)?, Change::Delete).map(|()| true)
    })?;
    add(lua, host, "incr", run, |_, run, (scope, name, by): (LuaString, LuaValue, f64)| {
        let key = key(&scope, &name)?;
        let mut run = run.borrow_mut();
        run.input()?;
        let old = run.read(&key)?;
        let (number, size, expires) = match &old {
            None => (0.0, 0, None),
            Some(stored) => match value::decode(&stored.value)? {
                Value::Number(number) => {
                    (number.as_f64().unwrap_or(f64::NAN), key.len() + stored.value.len(), stored.expires)
                }
                _ => return Err("store.incr: the stored value is not a number".to_owned()),
            },
        };
        let sum = number + by;
        let new = value::number(sum).ok_or_else(|| format!("store.incr: {sum} is not a number that can be stored"))?;
        run.write_over(key, size, Change::Set { value: value::encode(&new).into(), expires })?;
        Ok(sum)
    })?;
    add(
        lua,
        host,
        "scan",
        run,
        |lua, run, (scope, prefix, after, backward, limit): (LuaString, LuaString, Option<LuaString>, bool, f64)| {
            let start = scoped(&scope, &prefix.as_bytes());
            let after = after.map(|after| scoped(&scope, &after.as_bytes()));
            let skip = scope.as_bytes().len() + 1;
            let limit = (limit.max(1.0) as usize).min(PAGE_ROWS_MAX);
            let rows = run.borrow().scan(&start, after.as_deref(), backward, limit)?;
            let watch = run.borrow().watch();
            let page = || {
                let page = lua.create_table_with_capacity(rows.len() * 2, 0)?;
                for (key, stored) in &rows {
                    page.raw_push(lua.create_string(&key[skip..])?)?;
                    let value = value::decode(&stored.value).map_err(mlua::Error::runtime)?;
                    page.raw_push(value::to_lua_within(lua, &value, &watch)?)?;
                }
                Ok(page)
            };
            page().map_err(|error: mlua::Error| run.borrow_mut().failed(&error))
        },
    )?;
    add(lua, host, "limit", run, |_, run, (name, rate): (LuaString, LuaString)| {
        let (most, window) = rate_of(&rate.to_string_lossy())?;
        let key = [LIMIT_SCOPE, &*name.as_bytes()].concat();
        if !(1..=KEY_BYTES).contains(&name.as_bytes().len()) {
            return Err(format!("limit: a key has 1 to {KEY_BYTES} bytes"));
        }
        let mut run = run.borrow_mut();
        let now = run.input()?.now;
        let mut times: Vec<Value> = match run.read(&key)?.map(|stored| value::decode(&stored.value)).transpose()? {
            Some(Value::Array(times)) => times,
            _ => Vec::new(),
        };
        // A time further ahead than the window was recorded before the clock was set back; it is ignored.
        let counts = |time: u64| time.saturating_add(window) > now && time < now.saturating_add(window);
        times.retain(|time| time.as_u64().is_some_and(counts));
        if times.len() >= most {
            return Ok(false);
        }
        times.push(now.into());
        let value = value::encode(&Value::Array(times)).into();
        run.write(key, Change::Set { value, expires: Some(now.saturating_add(window)) })?;
        Ok(true)
    })?;
    add(
        lua,
        host,
        "timer_set",
        run,
        |_, run, (name, after, key, payload): (String, LuaValue, Option<String>, LuaValue)| {
            if name.len() > NAME_BYTES || key.as_ref().is_some_and(|key| key.len() > NAME_BYTES) {
                return Err(format!("timers.set: a name and a key have at most {NAME_BYTES} bytes"));
            }
            let wait = millis(&after).map_err(|problem| format!("timers.set: after: {problem}"))?;
            let payload = value::from_lua(&payload, TIMER_BYTES).map_err(|problem| {
                let most = TIMER_BYTES >> 10;
                format!(
                    "timers.set: this payload cannot be stored: {problem} (a payload has at most {most} KiB; put \
                     larger data into the store, and its key into the payload)"
                )
            })?;
            let mut run = run.borrow_mut();
            let input = run.input()?;
            let due = input.now.saturating_add(wait);
            let room = input.event.room.as_ref().map(|room| room.id.clone());
            let key = key.unwrap_or_else(|| format!("{}.{}.{}", input.seq, input.part, run.timer_count()));
            run.set_timer(TimerChange::Set { name, key: key.clone(), due, room, payload })?;
            Ok(key)
        },
    )?;
    add(lua, host, "timer_cancel", run, |_, run, key: String| {
        let mut run = run.borrow_mut();
        run.input()?;
        if key.len() > NAME_BYTES {
            return Err(format!("timers.cancel: a key has at most {NAME_BYTES} bytes"));
        }
        run.set_timer(TimerChange::Cancel { key }).map(|()| true)
    })?;
    add(lua, host, "task_runs", run, |lua, run, (name, limit): (String, f64)| {
        let host = run.borrow().host.clone();
        let now = run.borrow().input()?.now;
        let runs = host.task_runs(&name, (limit.clamp(1.0, 100.0)) as usize, now)?;
        let runs = runs.into_iter().map(|mut run| {
            // Scripts see times in seconds.
            for name in ["due", "started", "ended"] {
                run[name] = run[name].as_f64().map_or(Value::Null, |millis| (millis / 1_000.0).into());
            }
            if run["error"].is_null()
                && let Some(map) = run.as_object_mut()
            {
                map.remove("error");
            }
            run
        });
        value::to_lua(lua, &runs.collect()).map_err(|error| run.borrow_mut().failed(&error))
    })?;
    host.set("millis", lua.create_function(|_, duration: LuaValue| Ok(reply(millis(&duration))))?)
}

/// Parses a rate such as `5/10s`: the count, and the window in milliseconds.
fn rate_of(rate: &str) -> Result<(usize, u64), Problem> {
    let parsed = rate.split_once('/').filter(|_| rate.len() <= 64).and_then(|(most, window)| {
        let most: usize = most.trim().parse().ok().filter(|most| (1..=1_000).contains(most))?;
        let window = palabre_model::parse_duration(window)?.as_millis();
        Some((most, u64::try_from(window).ok().filter(|window| *window > 0)?))
    });
    parsed.ok_or_else(|| format!("limit: \"{rate}\" is not a rate; write a count (at most 1000) and a time: \"5/10s\""))
}

fn key(scope: &LuaString, name: &LuaValue) -> Result<Vec<u8>, Problem> {
    let key = match name {
        LuaValue::String(name) => scoped(scope, &name.as_bytes()),
        other => return Err(format!("a key is a string; this one is a {} (use tostring)", other.type_name())),
    };
    let length = key.len() - scope.as_bytes().len() - 1;
    if !(1..=KEY_BYTES).contains(&length) {
        return Err(format!("a key has 1 to {KEY_BYTES} bytes; this one has {length}"));
    }
    Ok(key)
}

/// Returns the key of a name in a scope.
///
/// Scopes contain no zero byte (`store.of` checks that), so the first one in a key ends its scope.
fn scoped(scope: &LuaString, name: &[u8]) -> Vec<u8> {
    let scope = scope.as_bytes();
    let mut key = Vec::with_capacity(scope.len() + 1 + name.len());
    key.extend_from_slice(&scope);
    key.push(0);
    key.extend_from_slice(name);
    key
}
