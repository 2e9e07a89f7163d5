//! Deletions by the bot.

use serde_json::{Value, json};

use crate::telegram::kind::Kind;
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

/// The maximum age of a message that can be deleted, in seconds.
const AGE_MAX: u64 = 48 * 3_600;

pub(super) fn one(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let id = state.reach_message(chat, call.number("message_id"), "message to delete")?;
    may_delete(state, chat, id)?;
    state.erase(chat, id);
    Ok(json!(true))
}

/// Missing messages are ignored.
pub(super) fn many(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let ids: Vec<i64> = call.get("message_ids").as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    if ids.is_empty() {
        return Err(Refusal::broken_rule("message identifiers are not specified"));
    }
    if ids.len() > 100 {
        return Err(Refusal::broken_rule("too many message identifiers specified"));
    }
    let there: Vec<i64> = ids.into_iter().filter(|id| state.message(chat, *id).is_some()).collect();
    there.iter().try_for_each(|id| may_delete(state, chat, *id))?;
    there.iter().for_each(|id| state.erase(chat, *id));
    Ok(json!(true))
}

fn may_delete(state: &State, chat: i64, id: i64) -> Result<(), Refusal> {
    let message = &state.chats[&chat].messages[&id];
    let age = state.seconds().saturating_sub(message["date"].as_u64().unwrap_or_default());
    let kind = state.chats[&chat].kind;
    let is_own =
        message["from"]["id"] == state.bot || state.posts.iter().any(|post| (post.at.chat, post.at.id) == (chat, id));
    let can_delete = state.has_right(chat, state.bot, "can_delete_messages");
    let is_allowed = match kind {
        Kind::Private => true,
        Kind::Group => is_own || state.member(chat, state.bot).is_admin(),
        Kind::Supergroup => is_own || can_delete,
        Kind::Channel => is_own && state.has_right(chat, state.bot, "can_post_messages") || can_delete,
    };
    // A dice roll in a private chat can be deleted only after a day.
    let is_fresh_dice = kind == Kind::Private && !message["dice"].is_null() && age < 24 * 3_600;
    let is_opening = ["supergroup_chat_created", "channel_chat_created", "forum_topic_created"];
    let is_opening = is_opening.iter().any(|field| !message[*field].is_null());
    if is_allowed && age < AGE_MAX && !is_fresh_dice && !is_opening {
        Ok(())
    } else if age >= AGE_MAX {
        Err(Refusal::bad("message can't be deleted for everyone"))
    } else {
        Err(Refusal::bad("message can't be deleted"))
    }
}
