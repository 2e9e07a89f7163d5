//! Forwards and copies of messages by the bot.

use serde_json::{Value, json};

use crate::json::{merge, without};
use crate::telegram::message::{OWN_FIELDS, is_service};
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;
use super::content;

/// Returns the message to be forwarded or copied.
fn source(state: &mut State, call: &Call, what: &str) -> Result<Value, Refusal> {
    let from = state.known_chat(call.get("from_chat_id"))?;
    let id = state.reach_message(from, call.number("message_id"), &format!("message to {what}"))?;
    let message = state.chats[&from].messages[&id].clone();
    if is_service(&message) || message["has_protected_content"] == true {
        let done = if what == "copy" { "copied" } else { "forwarded" };
        return Err(Refusal::bad(&format!("message can't be {done}")));
    }
    Ok(message)
}

pub(super) fn copy(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let message = source(state, call, "copy")?;
    let mut copied = without(message, &OWN_FIELDS);
    if !call.get("caption").is_null() {
        copied = without(copied, &["caption", "caption_entities"]);
        merge(&mut copied, content::caption(&call.parameters)?);
    }
    state.may_send(chat, &copied)?;
    let message = state.say(call, chat, copied)?;
    Ok(json!({ "message_id": message["message_id"] }))
}

pub(super) fn forward(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let message = source(state, call, "forward")?;
    let passed = state.forwarded(message);
    state.may_send(chat, &passed)?;
    state.say(call, chat, passed)
}
