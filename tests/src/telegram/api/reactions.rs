//! Reactions of the bot.

use serde_json::json;

use crate::telegram::kind::Kind;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

pub(super) fn set(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let wanted = call.get("reaction").as_array().cloned().unwrap_or_default();
    if wanted.len() > 1 {
        return Err(Refusal::blamed("REACTIONS_TOO_MANY", "a bot has one reaction to a message"));
    }
    if let Some(kind) = wanted.first().and_then(|one| one["type"].as_str())
        && kind != "emoji"
    {
        return Err(Refusal::bad("REACTION_INVALID"));
    }
    if let Some(emoji) = wanted.first().and_then(|one| one["emoji"].as_str())
        && !state.reaction_emoji().contains(&emoji.to_owned())
    {
        return Err(Refusal::blamed("REACTION_INVALID", &format!("{emoji} is not in Telegram's list")));
    }
    let id = state.reach_message(chat, call.number("message_id"), "message to react")?;
    let permitted =
        state.chats[&chat].kind == Kind::Private || state.is_permitted(chat, state.bot, "can_react_to_messages");
    if !permitted && !state.member(chat, state.bot).is_admin() {
        return Err(Refusal::not_enough_rights("react to messages in the chat"));
    }
    state.react(chat, id, state.bot, wanted);
    Ok(json!(true))
}
