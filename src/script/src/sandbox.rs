//! Preparation of a new VM: host functions, prelude, sandbox and limits.

use std::sync::Arc;

use mlua::state::{GcIncParams, GcMode};
use mlua::{Function, LightUserData, Lua, Table, Value as LuaValue, VmState};
use palabre_types::Limits;
use serde_json::Value;

use crate::locale::Locales;
use crate::objects::Objects;
use crate::run::SharedRun;
use crate::source::Source;
use crate::watch::Watch;
use crate::{api, chunk, value};

const BUILTINS: &str = include_str!("prelude/builtins.luau");
const API: &str = include_str!("prelude/api.luau");
const REGISTER: &str = include_str!("prelude/register.luau");
const WEB: &str = include_str!("prelude/web.luau");
const OBJECTS: &str = include_str!("prelude/objects.luau");
const EVENTS: &str = include_str!("prelude/events.luau");

/// The API tables, which scripts cannot change.
const API_TABLES: &[&str] = &[
    "store", "timers", "log", "json", "random", "time", "rooms", "users", "http", "text", "metrics", "commands",
    "tasks",
];

/// The maximum number of stack levels searched for a line of the script.
const STACK_LEVELS_MAX: usize = 32;

/// The marker that a runner yields when the hook has returned. Scripts cannot create light userdata.
pub(crate) const DONE: usize = 1;
/// The marker that a coroutine yields when the hook waits; see [`DONE`].
pub(crate) const WAIT: usize = 2;

/// The parts of a prepared VM that the host needs.
pub(crate) struct Prepared {
    pub(crate) new_runner: Function,
    pub(crate) objects: Objects,
    /// The functions that other scripts may call, by name.
    pub(crate) exports: Table,
    pub(crate) compiled: chunk::Compiled,
}

/// Prepares a new VM for a script.
pub(crate) fn prepare(
    lua: &Lua,
    run: &SharedRun,
    source: &Source,
    config: &Value,
    limits: &Limits,
    watch: &Arc<Watch>,
) -> mlua::Result<Prepared> {
    let locales = Locales::new(&source.locales).map_err(mlua::Error::runtime)?;
    let host = api::install(lua, run, locales)?;
    let compiled = chunk::Compiled::default();
    chunk::install(lua, &host, source.clone(), &compiled)?;
    let marker = |number| LightUserData(std::ptr::without_provenance_mut(number));
    let raw_yield: Function = lua.globals().get::<Table>("coroutine")?.get("yield")?;
    let load = |text: &str| lua.load(text).set_name("=[palabre]").into_function();

    let (wait, without_waiting, begin_step, info): (Function, Function, Function, Function) =
        load(BUILTINS)?.call((&host, marker(WAIT)))?;
    let timer_functions: Table = load(API)?.call((&host, &wait, without_waiting, info))?;
    let functions: Table = load(REGISTER)?.call((&host, timer_functions))?;
    load(WEB)?.call::<()>((&host, &wait))?;
    let (objects, make_bot, make_space, make_room): (Table, Function, Function, Function) =
        load(OBJECTS)?.call((&host, wait))?;
    let exports: Table = functions.get("export")?;
    let new_runner: Function = load(EVENTS)?.call((&host, begin_step, functions, objects, marker(DONE), raw_yield))?;

    let globals = lua.globals();
    let config = value::to_lua(lua, config)?;
    if let LuaValue::Table(config) = &config {
        freeze(config)?;
    }
    globals.set("config", config)?;
    for name in API_TABLES {
        globals.get::<Table>(*name)?.set_readonly(true);
    }
    lua.sandbox(true)?;
    // With these settings the incremental collector keeps garbage below about a quarter of the live memory.
    lua.gc_set_mode(GcMode::Incremental(GcIncParams::default().goal(120).step_multiplier(400)));
    lua.set_memory_limit(limits.memory())?;
    let (watch, run) = (Arc::clone(watch), SharedRun::clone(run));
    lua.set_interrupt(move |lua| {
        if watch.is_expired() {
            record_position(lua, &run);
            Err(mlua::Error::runtime("the script exceeded a limit"))
        } else {
            Ok(VmState::Continue)
        }
    });
    Ok(Prepared { new_runner, objects: Objects::new(make_bot, make_space, make_room), exports, compiled })
}

fn freeze(table: &Table) -> mlua::Result<()> {
    for pair in table.pairs::<LuaValue, LuaValue>() {
        if let (_, LuaValue::Table(inner)) = pair? {
            freeze(&inner)?;
        }
    }
    table.set_readonly(true);
    Ok(())
}

/// Records the position at which the script is stopped: its first own line up the stack.
fn record_position(lua: &Lua, run: &SharedRun) {
    // If the run is borrowed, a host function is active and reports the problem itself.
    let Ok(mut run) = run.try_borrow_mut() else { return };
    if run.stopped_at.is_some() {
        return;
    }
    for level in 0..STACK_LEVELS_MAX {
        let place = lua.inspect_stack(level, |debug| {
            let source = debug.source().short_src.map(|source| source.into_owned());
            source.zip(debug.current_line())
        });
        match place {
            None => return,
            Some(Some((source, line))) if !source.starts_with("[palabre]") && !source.starts_with("[C]") => {
                run.stopped_at = Some(format!("{source}:{line}"));
                return;
            }
            Some(_) => {}
        }
    }
}
