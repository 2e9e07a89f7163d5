//! Pins by the bot.

use serde_json::json;

use crate::telegram::kind::Kind;
use crate::telegram::message::is_service;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

/// Returns the chat, if the bot may pin there.
fn place(state: &mut State, call: &Call) -> Result<i64, Refusal> {
    let chat = state.reach(call.get("chat_id"))?;
    let may = match state.chats[&chat].kind {
        Kind::Private => true,
        Kind::Channel => state.has_right(chat, state.bot, "can_edit_messages"),
        Kind::Group | Kind::Supergroup => state.is_permitted(chat, state.bot, "can_pin_messages"),
    };
    if may { Ok(chat) } else { Err(Refusal::not_enough_rights("manage pinned messages in the chat")) }
}

pub(super) fn pin(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    let id = state.reach_message(chat, call.number("message_id"), "message to pin")?;
    if is_service(&state.chats[&chat].messages[&id]) {
        return Err(Refusal::bad("message can't be pinned"));
    }
    if state.chats[&chat].pinned.last() != Some(&id) {
        state.pin(chat, state.bot, id);
    }
    Ok(json!(true))
}

pub(super) fn unpin(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    let newest = state.chats[&chat].pinned.last().copied();
    let id = call.number("message_id").or(newest);
    let id = id.filter(|id| state.chats[&chat].pinned.contains(id));
    let id = id.ok_or_else(|| Refusal::bad("message to unpin not found"))?;
    state.place(chat).pinned.retain(|pinned| *pinned != id);
    Ok(json!(true))
}

pub(super) fn unpin_all(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    state.place(chat).pinned.clear();
    Ok(json!(true))
}
