//! `every`: scheduled tasks.

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::Value;

use super::admission::{keep, loading, room_for};
use super::options::{object, read};
use crate::api::check::{millis, text};
use crate::api::function::add;
use crate::declarations::{DECLARATIONS_MAX, Missed, TaskSpec};
use crate::limits::NAME_BYTES;
use crate::reply::Problem;
use crate::run::SharedRun;
use crate::schedule::Schedule;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun) -> mlua::Result<()> {
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
    })
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
    let parsed = Schedule::of(&spec).map_err(|problem| format!("{what}: {problem}"))?;
    if parsed.is_interval() && (spec.missed == Missed::Run || spec.zone.is_some()) {
        return Err(format!("{what}: zone and missed are for cron expressions, not for intervals"));
    }
    Ok(spec)
}
