//! Outcomes of actions: refusals, explanations of problems, and who may act on whom.

use std::rc::Rc;

use mlua::{Lua, LuaString, Table};
use palabre_types::{ActionKey, Impact, UserId};
use serde_json::Map;

use super::check::name;
use super::command::RuntimeTexts;
use crate::handle::HandleStep;
use crate::refusal::{TIMED_OUT, denied_key, text_of};
use crate::run::SharedRun;

pub(super) fn install(lua: &Lua, host: &Table, run: &SharedRun, runtime_texts: &Rc<RuntimeTexts>) -> mlua::Result<()> {
    let shared = SharedRun::clone(run);
    let refused = move |_: &Lua, (seq, step, index): (f64, HandleStep, u32)| {
        let mut run = shared.borrow_mut();
        let asked = step.run(seq);
        let is_it = |key: &ActionKey| key.run == asked && key.index == index;
        let refusal = run.refused.iter_mut().find(|refusal| is_it(&refusal.refused.key));
        Ok(refusal.map(|refusal| {
            refusal.refused.is_asked = true;
            refusal.plain.clone()
        }))
    };
    host.set("refused", lua.create_function(refused)?)?;
    let (shared, texts) = (SharedRun::clone(run), Rc::clone(runtime_texts));
    let plain = move |_: &Lua, problem: String| {
        let (key, words) = text_of(&problem);
        let arguments = Map::from_iter([("reason".to_owned(), words.into())]);
        Ok(texts.say(&mut shared.borrow_mut(), key, &arguments))
    };
    host.set("plain", lua.create_function(plain)?)?;
    host.set("timed_out", TIMED_OUT)?;
    let (shared, texts) = (SharedRun::clone(run), Rc::clone(runtime_texts));
    let can_act_on = move |_: &Lua, (actor, target): (LuaString, LuaString)| {
        let mut run = shared.borrow_mut();
        let verdict = name(&actor, "a user's id").and_then(|actor| {
            let target = UserId::from(name(&target, "a user's id")?);
            Ok(run.host.may_act(&run.input()?.event, Some(&actor.into()), &target, Impact::Restricts))
        });
        Ok(match verdict {
            Ok(Ok(())) => (Some(true), None, None),
            Ok(Err(denied)) => (Some(false), Some(texts.say(&mut run, denied_key(denied), &Map::new())), None),
            Err(problem) => (None, None, Some(problem)),
        })
    };
    host.set("can_act_on", lua.create_function(can_act_on)?)
}
