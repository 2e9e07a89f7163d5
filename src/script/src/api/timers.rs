//! `timers`, and the latest runs of tasks.

use mlua::{Lua, Table, Value as LuaValue};
use palabre_types::TimerChange;
use serde_json::Value;

use super::check::millis;
use super::function::add;
use crate::limits::{NAME_BYTES, TIMER_BYTES};
use crate::run::SharedRun;
use crate::value;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
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
                format!(
                    "timers.set: this payload cannot be stored: {problem} (a payload has at most {} KiB; put \
                     larger data into the store, and its key into the payload)",
                    TIMER_BYTES >> 10
                )
            })?;
            let mut run = run.borrow_mut();
            let input = run.input()?;
            let due = input.now.saturating_add(wait);
            let room = input.event.room.as_ref().map(|room| room.id.clone());
            let id = &input.run;
            let key = key.unwrap_or_else(|| format!("{}.{}.{}", id.seq, id.step_text(), run.timer_count()));
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
    })
}
