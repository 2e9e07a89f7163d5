//! Chat methods of the bot.

use serde_json::json;

use crate::telegram::entities::units;
use crate::telegram::kind::Kind;
use crate::telegram::member::{Status, granted};
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;
use super::members::imply;

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let chat = state.known_chat(call.get("chat_id"))?;
    if state.chats[&chat].kind != Kind::Private {
        state.reach(call.get("chat_id"))?;
    }
    Ok(state.full_frame(chat))
}

pub(super) fn leave(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    if state.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad("chat member status can't be changed in private chats"));
    }
    state.depart(chat, state.bot, state.bot, Status::Left);
    Ok(json!(true))
}

/// Returns a chat with a title in which the bot has a right.
fn place(state: &mut State, call: &Call, right: &str, to: &str) -> Result<i64, Refusal> {
    let chat = state.reach(call.get("chat_id"))?;
    if state.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad(&format!("can't {to} of a private chat")));
    }
    if state.is_permitted(chat, state.bot, right) { Ok(chat) } else { Err(Refusal::not_enough_rights(to)) }
}

pub(super) fn set_title(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call, "can_change_info", "change chat title")?;
    let title = call.text("title").trim();
    if !(1..=128).contains(&units(title)) {
        return Err(Refusal::blamed("CHAT_TITLE_INVALID", "a title has 1 to 128 characters"));
    }
    title.clone_into(&mut state.place(chat).title);
    let title = json!({ "new_chat_title": title });
    state.post_service(chat, state.bot, None, title);
    Ok(json!(true))
}

pub(super) fn set_description(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call, "can_change_info", "set chat description")?;
    let description = call.text("description");
    if units(description) > 255 {
        return Err(Refusal::blamed("CHAT_ABOUT_TOO_LONG", "a description has at most 255 characters"));
    }
    if state.chats[&chat].description == description {
        return Err(Refusal::bad("chat description is not modified"));
    }
    description.clone_into(&mut state.place(chat).description);
    Ok(json!(true))
}

pub(super) fn set_permissions(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    state.need(chat, "can_restrict_members", "change chat permissions")?;
    let mut permissions = granted(call.get("permissions"));
    if !call.is_true("use_independent_chat_permissions") {
        imply(&mut permissions);
    }
    if state.chats[&chat].permissions == permissions {
        return Err(Refusal::bad("CHAT_NOT_MODIFIED"));
    }
    state.place(chat).permissions = permissions;
    Ok(json!(true))
}
