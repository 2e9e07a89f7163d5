//! Moderation by the bot.

use serde_json::{Value, json};

use crate::telegram::kind::Kind;
use crate::telegram::member::{Member, Status, granted, rights_in};
use crate::telegram::refusal::{Outcome, Refusal};
use crate::telegram::state::State;

use super::call::Call;

/// The minimum duration in seconds. Below it, and above 366 days, a restriction is permanent.
const RESTRICTION_MIN: u64 = 30;
const RESTRICTION_MAX: u64 = 366 * 86_400;

fn until(state: &State, call: &Call) -> u64 {
    let now = state.seconds();
    let until = call.number("until_date").unwrap_or_default().unsigned_abs();
    let lasts = until.saturating_sub(now);
    if (RESTRICTION_MIN..=RESTRICTION_MAX).contains(&lasts) { until } else { 0 }
}

/// Returns a user whom the bot may moderate in a chat.
fn target(state: &State, chat: i64, call: &Call) -> Result<i64, Refusal> {
    let user = state.reach_user(call)?;
    state.need(chat, "can_restrict_members", "restrict/unrestrict chat member")?;
    if user == state.bot {
        return Err(Refusal::bad("can't restrict self"));
    }
    match state.member(chat, user).status {
        Status::Creator => Err(Refusal::bad("can't remove chat owner")),
        Status::Administrator(_) if state.member(chat, user).promoted_by != Some(state.bot) => {
            Err(Refusal::bad("user is an administrator of the chat"))
        }
        _ => Ok(user),
    }
}

pub(super) fn ban(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    if state.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad("can't ban members in private chats"));
    }
    let user = target(state, chat, call)?;
    let until = until(state, call);
    state.depart(chat, state.bot, user, Status::Kicked { until });
    if call.is_true("revoke_messages")
        || state.chats[&chat].kind != Kind::Group && call.get("revoke_messages").is_null()
    {
        state.erase_all_of(chat, user);
    }
    Ok(json!(true))
}

pub(super) fn unban(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach_large(call.get("chat_id"), false)?;
    let user = target(state, chat, call)?;
    let is_banned = matches!(state.member(chat, user).status, Status::Kicked { .. });
    // Without `only_if_banned`, a member is removed.
    if is_banned || !call.is_true("only_if_banned") {
        state.depart(chat, state.bot, user, Status::Left);
    }
    Ok(json!(true))
}

pub(super) fn restrict(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach_large(call.get("chat_id"), true)?;
    let user = target(state, chat, call)?;
    let mut permissions = granted(call.get("permissions"));
    if !call.is_true("use_independent_chat_permissions") {
        imply(&mut permissions);
    }
    let is_member = state.member(chat, user).is_in();
    let lifts = state.chats[&chat].permissions.iter().all(|one| permissions.contains(one));
    let status = match (lifts, is_member) {
        (true, true) => Status::Member,
        (true, false) => Status::Left,
        (false, _) => Status::Restricted { permissions, until: until(state, call), is_member },
    };
    state.set_member(chat, state.bot, user, Member::new(status), &Value::Null);
    Ok(json!(true))
}

/// Adds the permissions that others imply, unless they are independent.
pub(super) fn imply(permissions: &mut std::collections::BTreeSet<String>) {
    let media = ["messages", "audios", "documents", "photos", "videos", "video_notes", "voice_notes"];
    if permissions.contains("can_send_other_messages") || permissions.contains("can_add_web_page_previews") {
        permissions.extend(media.iter().map(|what| format!("can_send_{what}")));
    }
    if permissions.contains("can_send_polls") {
        permissions.insert("can_send_messages".to_owned());
    }
}

pub(super) fn promote(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach_large(call.get("chat_id"), false)?;
    let user = state.reach_user(call)?;
    state.need(chat, "can_promote_members", "promote chat members")?;
    let member = state.member(chat, user);
    match member.status {
        Status::Creator => return Err(Refusal::bad("can't remove chat owner")),
        Status::Administrator(_) if member.promoted_by != Some(state.bot) => {
            return Err(Refusal::bad("CHAT_ADMIN_REQUIRED"));
        }
        Status::Left | Status::Kicked { .. } => return Err(Refusal::bad("USER_NOT_PARTICIPANT")),
        Status::Administrator(_) | Status::Member | Status::Restricted { .. } => {}
    }
    let mut rights = granted(&call.parameters);
    rights.retain(|right| rights_in(state.chats[&chat].kind).contains(right));
    if rights.iter().any(|right| !state.has_right(chat, state.bot, right)) {
        return Err(Refusal::bad("RIGHT_FORBIDDEN"));
    }
    let new = if rights.is_empty() {
        Member::new(Status::Member)
    } else {
        rights.insert("can_manage_chat".to_owned());
        Member { status: Status::Administrator(rights), title: member.title, promoted_by: Some(state.bot) }
    };
    state.set_member(chat, state.bot, user, new, &Value::Null);
    Ok(json!(true))
}

pub(super) fn set_title(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach_large(call.get("chat_id"), true)?;
    let user = state.reach_user(call)?;
    let title = call.text("custom_title");
    if title.encode_utf16().count() > 16 {
        return Err(Refusal::blamed("ADMIN_RANK_INVALID", "a title has at most 16 characters"));
    }
    let mut member = state.member(chat, user);
    if !matches!(member.status, Status::Administrator(_)) {
        return Err(Refusal::bad("user is not an administrator"));
    }
    if member.promoted_by != Some(state.bot) {
        return Err(Refusal::not_enough_rights("change custom title of the user"));
    }
    member.title = Some(title.to_owned()).filter(|title| !title.is_empty());
    state.set_member(chat, state.bot, user, member, &Value::Null);
    Ok(json!(true))
}

pub(super) fn set_tag(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach_large(call.get("chat_id"), true)?;
    let user = state.reach_user(call)?;
    state.need(chat, "can_manage_tags", "change member tag")?;
    let tag = call.text("tag");
    if tag.encode_utf16().count() > 16 {
        return Err(Refusal::blamed("TAG_INVALID", "a tag has at most 16 characters"));
    }
    let mut member = state.member(chat, user);
    if !matches!(member.status, Status::Member | Status::Restricted { is_member: true, .. }) {
        return Err(Refusal::bad("user is not a regular member"));
    }
    member.title = Some(tag.to_owned()).filter(|tag| !tag.is_empty());
    state.set_member(chat, state.bot, user, member, &Value::Null);
    Ok(json!(true))
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    let user = state.reach_user(call)?;
    Ok(state.member_frame(chat, user))
}

pub(super) fn administrators(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    if state.chats[&chat].kind == Kind::Private {
        return Err(Refusal::bad("there are no administrators in the private chat"));
    }
    let members = state.chats[&chat].members.iter();
    // Other bots are not listed.
    let shown = members.filter(|(id, member)| member.is_admin() && (!state.users[id].is_bot || **id == state.bot));
    Ok(shown.map(|(id, _)| state.member_frame(chat, *id)).collect())
}

pub(super) fn count(state: &mut State, call: &Call) -> Outcome {
    let chat = state.reach(call.get("chat_id"))?;
    if state.chats[&chat].kind == Kind::Private {
        return Ok(json!(2));
    }
    let members: Vec<i64> = state.chats[&chat].members.keys().copied().collect();
    Ok(json!(members.into_iter().filter(|user| state.member(chat, *user).is_in()).count()))
}

impl State {
    fn erase_all_of(&mut self, chat: i64, user: i64) {
        let theirs = self.chats[&chat].messages.iter();
        let theirs =
            theirs.filter(|(_, message)| message["from"]["id"] == user && message["left_chat_member"].is_null());
        let ids: Vec<i64> = theirs.map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.erase(chat, id));
    }
}
