//! Methods about the bot itself.

use serde_json::json;

use crate::json::merge;
use crate::telegram::entities::units;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

pub(super) fn get(state: &mut State, _call: &Call) -> Outcome {
    let mut me = state.user_frame(state.bot);
    let more = json!({
        "can_join_groups": true, "can_read_all_group_messages": state.options.reads_all,
        "supports_inline_queries": true, "can_connect_to_business": false, "has_main_web_app": false,
    });
    merge(&mut me, more);
    Ok(me)
}

/// The profile field of a method, and its maximum length.
fn field(call: &Call) -> (&'static str, u64) {
    let name = call.method.name.as_str();
    match name.trim_start_matches("set").trim_start_matches("get") {
        "MyName" => ("name", 64),
        "MyDescription" => ("description", 512),
        _ => ("short_description", 120),
    }
}

pub(super) fn set(state: &mut State, call: &Call) -> Outcome {
    let (name, max) = field(call);
    if units(call.text(name)) > max {
        return Err(Refusal::broken_rule(&format!("the bot's {name} has at most {max} characters")));
    }
    state.profile.insert((name, call.text("language_code").to_owned()), call.text(name).to_owned());
    Ok(json!(true))
}

pub(super) fn show(state: &mut State, call: &Call) -> Outcome {
    let (name, _) = field(call);
    let own = state.profile.get(&(name, call.text("language_code").to_owned()));
    let text = own.or_else(|| state.profile.get(&(name, String::new()))).cloned().unwrap_or_default();
    Ok(json!({ name: text }))
}
