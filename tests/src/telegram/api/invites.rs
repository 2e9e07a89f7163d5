//! Invite links and join requests.

use serde_json::json;

use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

fn place(state: &mut State, call: &Call) -> Result<i64, Refusal> {
    let chat = state.reach(call.get("chat_id"))?;
    state.need(chat, "can_invite_users", "manage chat invite link")?;
    Ok(chat)
}

pub(super) fn export(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    for link in state.place(chat).invites.iter_mut().filter(|link| link["is_primary"] == true) {
        link["is_primary"] = json!(false);
        link["is_revoked"] = json!(true);
    }
    let link = state.create_invite(chat, state.bot, &json!({}), true);
    Ok(link["invite_link"].clone())
}

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    if call.is_true("creates_join_request") && call.number("member_limit").is_some() {
        return Err(Refusal::broken_rule("member limit can't be specified for links requiring administrator approval"));
    }
    Ok(state.create_invite(chat, state.bot, &call.parameters, false))
}

pub(super) fn revoke(state: &mut State, call: &Call) -> Outcome {
    let chat = place(state, call)?;
    let mut links = state.place(chat).invites.iter_mut();
    let link = links.find(|link| link["invite_link"] == *call.get("invite_link") && link["is_revoked"] == false);
    let link = link.ok_or_else(|| Refusal::bad("INVITE_HASH_EXPIRED"))?;
    link["is_revoked"] = json!(true);
    Ok(link.clone())
}

pub(super) fn approve(state: &mut State, call: &Call) -> Outcome {
    let (chat, user) = asked(state, call)?;
    state.enter(chat, user, user, &json!({ "via_join_request": true }));
    Ok(json!(true))
}

pub(super) fn decline(state: &mut State, call: &Call) -> Outcome {
    asked(state, call)?;
    Ok(json!(true))
}

/// Takes the join request of a user.
fn asked(state: &mut State, call: &Call) -> Result<(i64, i64), Refusal> {
    let chat = place(state, call)?;
    let user = state.reach_user(call)?;
    if state.member(chat, user).is_in() {
        return Err(Refusal::bad("USER_ALREADY_PARTICIPANT"));
    }
    if !state.place(chat).requests.remove(&user) {
        return Err(Refusal::bad("HIDE_REQUESTER_MISSING"));
    }
    Ok((chat, user))
}
