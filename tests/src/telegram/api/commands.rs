//! Command registration by the bot.

use serde_json::{Value, json};

use crate::telegram::entities::units;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

/// The maximum number of commands in a list.
const COMMANDS_MAX: usize = 100;

pub(super) fn set(state: &mut State, call: &Call) -> Outcome {
    let key = key(state, call)?;
    let commands = call.get("commands").as_array().cloned().unwrap_or_default();
    if commands.len() > COMMANDS_MAX {
        return Err(Refusal::blamed("BOT_COMMANDS_TOO_MUCH", "there are at most 100 commands in a list"));
    }
    for one in &commands {
        let name = one["command"].as_str().unwrap_or_default();
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=32).contains(&name.len()) || !name.bytes().all(is_letter) {
            return Err(Refusal::blamed("BOT_COMMAND_INVALID", &format!("{name:?} is not 1 to 32 of a-z, 0-9 and _")));
        }
        if !(1..=256).contains(&units(one["description"].as_str().unwrap_or_default())) {
            return Err(Refusal::blamed(
                "BOT_COMMAND_DESCRIPTION_INVALID",
                &format!("that of {name:?} has not 1 to 256 characters"),
            ));
        }
    }
    if commands.is_empty() {
        state.commands.lists.remove(&key);
    } else {
        state.commands.lists.insert(key, commands);
    }
    Ok(json!(true))
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let (_, language) = key(state, call)?;
    Ok(state.command_list(call.get("scope"), &language))
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let key = key(state, call)?;
    state.commands.lists.remove(&key);
    Ok(json!(true))
}

/// Returns the scope and the language of a call.
fn key(state: &mut State, call: &Call) -> Result<(String, String), Refusal> {
    let scope = call.get("scope");
    if !scope["chat_id"].is_null() {
        let chat = state.known_chat(&scope["chat_id"])?;
        let mut exact = scope.clone();
        exact["chat_id"] = json!(chat);
        return Ok((state.scope_key(&exact), language(call)?));
    }
    Ok((state.scope_key(scope), language(call)?))
}

fn language(call: &Call) -> Result<String, Refusal> {
    let language = call.get("language_code").as_str().unwrap_or_default();
    let is_code = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if language.is_empty() || is_code(language) {
        Ok(language.to_owned())
    } else {
        Err(Refusal::blamed("LANG_CODE_INVALID", &format!("{:?} is no code of two letters", Value::from(language))))
    }
}
