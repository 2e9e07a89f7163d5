//! Webhooks, and the messages posted through them. Interactions are answered through one as well.

use rand::RngExt;
use rand::distr::{Alphanumeric, SampleString};
use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::call::Call;
use super::message_rules::check_message;
use super::messages::keep_flags;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

const RESERVED: &str =
    "Username has 1 to 80 characters, is not \"everyone\" or \"here\", and does not contain \"clyde\" or \"discord\"";

/// Whether Discord refuses a name for webhooks.
fn is_reserved(name: &str) -> bool {
    let lower = name.trim().to_lowercase().replace('\u{307}', "");
    let is_taken = matches!(lower.trim_start_matches('@'), "everyone" | "here");
    let length = name.trim().chars().count();
    is_taken || lower.contains("clyde") || lower.contains("discord") || !(1..=80).contains(&length)
}

/// The owner of a webhook token.
pub(super) enum TokenOwner {
    Webhook(Id),
    Interaction(Id),
}

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let (channel, body) = (call.id("channel_id"), call.body_or_null());
    state.need_in(channel, Permission::MANAGE_WEBHOOKS)?;
    let guild = state.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    let name = body["name"].as_str().unwrap_or_default().trim().to_owned();
    if is_reserved(&name) {
        return Err(Refusal::form("/name", RESERVED));
    }
    let here = state.webhooks.values().filter(|hook| Id::of(hook, "channel_id") == Some(channel)).count();
    if here >= 15 {
        return Err(Refusal::new(400, 30007, "Maximum number of webhooks reached (15)"));
    }
    let (id, token) = (state.fresh_id(), Alphanumeric.sample_string(&mut state.random, 68));
    let hook = json!({
        "id": id, "type": 1, "application_id": state.bot, "avatar": null, "channel_id": channel, "guild_id": guild,
        "name": name, "token": token, "url": format!("{}/api/webhooks/{id}/{token}", state.api),
        "user": state.user_frame(state.bot),
    });
    state.webhooks.insert(id, hook.clone());
    dispatch_webhook(state, &hook);
    state.audit(guild, state.bot, 50, Some(id), call.reason.as_deref(), json!([]), Value::Null);
    Reply::ok(hook)
}

fn dispatch_webhook(state: &mut State, hook: &Value) {
    let data = json!({ "guild_id": hook["guild_id"], "channel_id": hook["channel_id"] });
    state.dispatch("WEBHOOKS_UPDATE", Id::of(hook, "guild_id"), data);
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::MANAGE_WEBHOOKS)?;
    Reply::ok(state.webhooks.values().filter(|hook| Id::of(hook, "channel_id") == Some(channel)).cloned().collect())
}

pub(super) fn list_guild(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::MANAGE_WEBHOOKS)?;
    Reply::ok(state.webhooks.values().filter(|hook| Id::of(hook, "guild_id") == Some(guild)).cloned().collect())
}

/// Returns the webhook of a call.
///
/// A given token must be valid; without one, the bot needs the permission.
fn named(state: &State, call: &Call) -> Result<Id, Refusal> {
    let id = call.id("webhook_id");
    let hook = state.webhooks.get(&id).ok_or_else(Refusal::unknown_webhook)?;
    match call.find("webhook_token") {
        Some(token) if hook["token"] != token => Err(Refusal::webhook_token()),
        Some(_) => Ok(id),
        None => {
            state.need_in(Id::of(hook, "channel_id").unwrap_or(Id(0)), Permission::MANAGE_WEBHOOKS)?;
            Ok(id)
        }
    }
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let id = named(state, call)?;
    Reply::ok(state.webhooks[&id].clone())
}

pub(super) fn update(state: &mut State, call: &Call) -> Outcome {
    let (id, body) = (named(state, call)?, call.body_or_null());
    let hook = state.webhooks.get_mut(&id).ok_or_else(Refusal::unknown_webhook)?;
    for field in ["name", "channel_id"] {
        if body[field].is_string() {
            hook[field] = body[field].clone();
        }
    }
    let hook = hook.clone();
    dispatch_webhook(state, &hook);
    Reply::ok(hook)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let id = named(state, call)?;
    let hook = state.webhooks.remove(&id).ok_or_else(Refusal::unknown_webhook)?;
    dispatch_webhook(state, &hook);
    Reply::nothing()
}

/// Returns the owner of the id and token in a path.
fn token_owner(state: &State, call: &Call) -> Result<TokenOwner, Refusal> {
    let id = call.id("webhook_id");
    if id == state.bot {
        return state.interaction_by_token(call.text("webhook_token")).map(TokenOwner::Interaction);
    }
    named(state, call).map(TokenOwner::Webhook)
}

pub(super) fn execute(state: &mut State, call: &Call) -> Outcome {
    let mut body = call.body_or_null();
    let id = match token_owner(state, call)? {
        TokenOwner::Interaction(id) => return state.follow_up(id, body, call.uploads()),
        TokenOwner::Webhook(id) => id,
    };
    check_message(&body, call.files.len())?;
    keep_flags(&mut body);
    let home = Id::of(&state.webhooks[&id], "channel_id").unwrap_or(Id(0));
    let channel = place(state, call, home, &body)?;
    let name = body["username"].as_str().map(ToOwned::to_owned);
    if name.as_ref().is_some_and(|name| is_reserved(name)) {
        return Err(Refusal::form("/username", RESERVED));
    }
    if name.as_ref().is_some_and(|name| state.faults.refused_names.contains(name)) {
        return Err(Refusal::form("/username", "Username is not allowed").excused());
    }
    let files = call.uploads();
    let draft = Draft { webhook: Some((id, name)), files: files.clone(), ..Draft::new(channel, id, body.clone()) };
    let mut message = state.compose(&draft);
    if body["avatar_url"].is_string() {
        message["author"]["avatar"] = json!(format!("{:032x}", state.random.random::<u128>()));
    }
    state.publish(channel, message.clone());
    state.record_post(channel, &message, body, files);
    if call.asks("wait") { Reply::ok(message) } else { Reply::nothing() }
}

/// Returns the channel of a webhook post: its channel, or a thread in it; in a forum it may open one.
fn place(state: &mut State, call: &Call, home: Id, body: &Value) -> Result<Id, Refusal> {
    let forum = matches!(state.channels.get(&home).and_then(|one| one["type"].as_u64()), Some(15 | 16));
    match call.query_id("thread_id") {
        Some(thread) => {
            let inside = state.channels.get(&thread).is_some_and(|one| Id::of(one, "parent_id") == Some(home));
            if inside { Ok(thread) } else { Err(Refusal::unknown_channel()) }
        }
        None if !forum => Ok(home),
        None if body["thread_name"].is_string() => {
            let about = json!({ "name": body["thread_name"], "applied_tags": body["applied_tags"] });
            Ok(state.open_thread(home, None, state.bot, 11, &about))
        }
        None => {
            Err(Refusal::new(400, 220_001, "Webhooks posted to forum channels must have a thread_name or thread_id"))
        }
    }
}

/// Returns the message of a call, if it was posted by this owner.
fn said(state: &State, call: &Call) -> Result<(Id, Id), Refusal> {
    let by = token_owner(state, call)?;
    let wanted = match (call.find("message_id"), &by) {
        (Some(id), _) => id.parse().map_err(|_no_id| Refusal::unknown_message())?,
        (None, TokenOwner::Interaction(id)) => state.original(*id)?,
        (None, TokenOwner::Webhook(_)) => return Err(Refusal::unknown_message()),
    };
    let author = match by {
        TokenOwner::Webhook(id) => id,
        TokenOwner::Interaction(_) => state.bot,
    };
    let is_it = |one: &&Value| Id::of(one, "id") == Some(wanted) && Id::of(&one["author"], "id") == Some(author);
    let found = state.messages.iter().find(|(_, all)| all.get(&wanted).as_ref().is_some_and(is_it));
    found.map(|(channel, _)| (*channel, wanted)).ok_or_else(Refusal::unknown_message)
}

pub(super) fn get_message(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = said(state, call)?;
    Reply::ok(state.message(channel, id).cloned().ok_or_else(Refusal::unknown_message)?)
}

pub(super) fn update_message(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = said(state, call)?;
    let body = call.body_or_null();
    let edited = state.edit(channel, id, &body, &call.uploads())?;
    state.record_answered(id);
    Reply::ok(edited)
}

pub(super) fn delete_message(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = said(state, call)?;
    state.erase(channel, &[id]);
    Reply::nothing()
}
