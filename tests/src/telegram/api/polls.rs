//! Ends of polls by the bot.

use crate::telegram::markup;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

pub(super) fn stop(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    markup::check(call.get("reply_markup"), true)?;
    let id = state.reach_message(chat, call.number("message_id"), "message with poll to stop")?;
    let message = &state.chats[&chat].messages[&id];
    let Some(poll) = message["poll"]["id"].as_str().map(ToOwned::to_owned) else {
        return Err(Refusal::bad("message with poll to stop not found"));
    };
    if message["from"]["id"] != state.bot && !message["from"].is_null() {
        return Err(Refusal::bad("poll can't be stopped"));
    }
    if message["poll"]["is_closed"] == true {
        return Err(Refusal::bad("poll has already been closed"));
    }
    Ok(state.count_votes(&poll, true))
}
