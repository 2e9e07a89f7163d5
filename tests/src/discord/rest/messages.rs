//! Messages in channels.

use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::intents::MESSAGE_CONTENT;
use crate::discord::mention::{is_open_to, without_content};
use crate::discord::permissions::Permission;
use crate::discord::state::State;

use super::call::Call;
use super::message_rules::check_message;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

/// The time for which Discord remembers a nonce: *the past few minutes*.
const NONCE_LIFE: u64 = 5 * 60_000;
/// The maximum age of messages that can be deleted in bulk.
const BULK_AGE: u64 = 14 * 24 * 3_600_000;

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let mut body = call.body_or_null();
    state.may_write(channel)?;
    check_message(&body, call.files.len())?;
    if !call.files.is_empty() {
        state.need_in(channel, Permission::ATTACH_FILES)?;
    }
    if body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty()) {
        state.need_in(channel, Permission::EMBED_LINKS)?;
    }
    keep_flags(&mut body);
    check_reference(state, channel, &body["message_reference"])?;
    let nonce = nonce(&body);
    if let Some(nonce) = nonce.as_ref().filter(|_| body["enforce_nonce"] == true)
        && let Some(id) = state.nonces.get(&(state.bot, channel, nonce.clone())).copied()
        && state.now() < id.moment() + NONCE_LIFE
        && let Some(earlier) = state.message(channel, id)
    {
        return Reply::ok(earlier.clone());
    }
    let draft = Draft { files: call.uploads(), ..Draft::new(channel, state.bot, body.clone()) };
    let message = state.compose(&draft);
    let id = state.publish(channel, message.clone());
    if let Some(nonce) = nonce {
        state.nonces.insert((state.bot, channel, nonce), id);
    }
    state.record_post(channel, &message, body, call.uploads());
    Reply::ok(message)
}

/// Keeps the flags that a bot may set: hidden previews, silence, voice and components.
pub(super) fn keep_flags(body: &mut Value) {
    if let Some(flags) = body["flags"].as_u64() {
        body["flags"] = json!(flags & (1 << 2 | 1 << 12 | 1 << 13 | 1 << 15));
    }
}

fn nonce(body: &Value) -> Option<String> {
    body["nonce"].as_str().map(ToOwned::to_owned).or_else(|| body["nonce"].as_i64().map(|number| number.to_string()))
}

fn check_reference(state: &State, channel: Id, reference: &Value) -> Result<(), Refusal> {
    let Some(id) = Id::of(reference, "message_id") else { return Ok(()) };
    let channel = Id::of(reference, "channel_id").unwrap_or(channel);
    if state.message(channel, id).is_none() && reference["fail_if_not_exists"] != false {
        return Err(Refusal::form("/message_reference", "Unknown message"));
    }
    Ok(())
}

pub(super) fn get(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let message = state.message(channel, call.id("message_id")).ok_or_else(Refusal::unknown_message)?;
    Reply::ok(state.shown(channel, message))
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let limit = call.limit(50);
    let Some(history) = state.messages.get(&channel) else { return Reply::ok(json!([])) };
    let mut found: Vec<&Value> = match (call.query_id("before"), call.query_id("after"), call.query_id("around")) {
        (Some(before), None, None) => history.range(..before).rev().take(limit).map(|(_, one)| one).collect(),
        (None, Some(after), None) => history.range(Id(after.0 + 1)..).take(limit).map(|(_, one)| one).collect(),
        (None, None, Some(middle)) => {
            let before = history.range(..middle).rev().take(limit / 2);
            before.chain(history.range(middle..).take(limit - limit / 2)).map(|(_, one)| one).collect()
        }
        (None, None, None) => history.values().rev().take(limit).collect(),
        _ => return Err(Refusal::form("/before", "before, after and around exclude each other")),
    };
    // The newest is first, whatever the query.
    found.sort_by_key(|message| std::cmp::Reverse(Id::of(message, "id")));
    Reply::ok(found.into_iter().map(|message| state.shown(channel, message)).collect())
}

pub(super) fn update(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = (call.id("channel_id"), call.id("message_id"));
    state.need_in(channel, Permission::VIEW_CHANNEL)?;
    let message = state.message(channel, id).ok_or_else(Refusal::unknown_message)?;
    let body = call.body_or_null();
    if Id::of(&message["author"], "id") != Some(state.bot)
        || !message["webhook_id"].is_null() && message["webhook_id"] != json!(state.bot)
    {
        let only_flags = body.as_object().is_some_and(|fields| fields.keys().all(|key| key == "flags"));
        if !only_flags {
            return Err(Refusal::not_the_author());
        }
        state.need_in(channel, Permission::MANAGE_MESSAGES)?;
    }
    Reply::ok(state.edit(channel, id, &body, &call.uploads())?)
}

pub(super) fn delete(state: &mut State, call: &Call) -> Outcome {
    let (channel, id) = (call.id("channel_id"), call.id("message_id"));
    state.need_in(channel, Permission::VIEW_CHANNEL)?;
    let message = state.message(channel, id).ok_or_else(Refusal::unknown_message)?;
    let author = Id::of(&message["author"], "id");
    if author != Some(state.bot) {
        if state.guild_of(channel).is_none() {
            return Err(Refusal::new(403, 50003, "Cannot execute action on a DM channel"));
        }
        state.need_in(channel, Permission::MANAGE_MESSAGES)?;
        if let (Some(guild), Some(author)) = (state.guild_of(channel), author) {
            let options = json!({ "channel_id": channel, "count": "1" });
            state.audit(guild, state.bot, 72, Some(author), call.reason.as_deref(), json!([]), options);
        }
    }
    state.erase(channel, &[id]);
    Reply::nothing()
}

pub(super) fn bulk_delete(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let guild = state.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    state.need_in(channel, Permission::MANAGE_MESSAGES)?;
    let ids = Id::list(&call.body_or_null()["messages"]);
    if !(2..=100).contains(&ids.len()) {
        return Err(Refusal::bulk_count().blamed(&format!("{} were named", ids.len())));
    }
    let oldest = state.now().saturating_sub(BULK_AGE);
    if ids.iter().any(|id| id.moment() < oldest) {
        return Err(Refusal::too_old());
    }
    let options = json!({ "count": ids.len().to_string() });
    state.audit(guild, state.bot, 73, Some(channel), call.reason.as_deref(), json!([]), options);
    state.erase(channel, &ids);
    Reply::nothing()
}

pub(super) fn typing(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.may_write(channel)?;
    state.dispatch_typing(channel, state.bot);
    Reply::nothing()
}

impl State {
    /// A message as the REST API returns it: without content if the application lacks the intent.
    fn shown(&self, channel: Id, message: &Value) -> Value {
        let open = self.options.privileged & MESSAGE_CONTENT != 0 || self.guild_of(channel).is_none();
        if open || is_open_to(message, self.bot) { message.clone() } else { without_content(message) }
    }

    pub(in crate::discord) fn dispatch_typing(&mut self, channel: Id, user: Id) {
        let guild = self.guild_of(channel);
        let mut data = json!({ "channel_id": channel, "user_id": user, "timestamp": self.now() / 1_000 });
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
            data["member"] = self.member_frame(guild, user).unwrap_or_default();
        }
        self.dispatch("TYPING_START", guild, data);
    }
}
