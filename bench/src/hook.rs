//! Calls the benchmark's hook in mlua alone: without journal, sandbox and limits.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::report::{Report, thousands};

/// Reads the text, adds to a counter of the user, and answers.
pub(crate) const SCRIPT: &str = r#"
function on_message(event)
  if #event.text > 0 then
    local n = store.incr(event.user.id)
    event:reply("you said " .. n .. " things")
  end
end
"#;

const TIME: Duration = Duration::from_secs(2);

/// Measures calls per second of the same hook in plain mlua.
///
/// The event is a table of nine fields, the counter a Lua table, and the reply a Rust function.
pub(crate) fn bare(report: &mut Report) -> f64 {
    let lua = mlua::Lua::new();
    let replies = Rc::new(Cell::new(0_u64));
    let counted = Rc::clone(&replies);
    let reply = lua
        .create_function(move |_, (_, text): (mlua::Table, mlua::LuaString)| {
            counted.set(counted.get() + text.as_bytes().len() as u64);
            Ok(())
        })
        .expect("a function");
    lua.globals().set("reply", reply).expect("a global");
    lua.load(
        "counts = {} store = { incr = function(key) local n = (counts[key] or 0) + 1 counts[key] = n return n end } \
         Event = {} Event.__index = Event Event.reply = reply",
    )
    .exec()
    .expect("a prelude");
    lua.load(SCRIPT).exec().expect("the script");
    let hook: mlua::Function = lua.globals().get("on_message").expect("the hook");
    let class: mlua::Table = lua.globals().get("Event").expect("the class");
    let began = Instant::now();
    let mut calls: u64 = 0;
    while !calls.is_multiple_of(1_024) || began.elapsed() < TIME {
        let user = lua.create_table_from([("id", format!("sim/user{}", calls % 10_000))]).expect("a table");
        let event = lua
            .create_table_from([
                ("kind", "message"),
                ("id", "1"),
                ("bot", "sim"),
                ("platform", "sim"),
                ("room", "sim/general"),
                ("message", "m"),
                ("text", "hello there"),
                ("time", "0"),
            ])
            .expect("a table");
        event.set("user", user).expect("a field");
        event.set_metatable(Some(class.clone())).expect("a class");
        hook.call::<()>(event).expect("a call");
        calls += 1;
    }
    let rate = calls as f64 / began.elapsed().as_secs_f64();
    assert!(replies.get() > 0, "the hook did not answer");
    report.row(
        "bare hook in mlua, one thread",
        format!("{} calls/s", thousands(rate)),
        "no storage, no isolation".to_owned(),
    );
    rate
}
