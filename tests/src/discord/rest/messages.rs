//! Messages in channels.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::intents::MESSAGE_CONTENT;
use crate::discord::mention::{is_open_to, without_content};
use crate::discord::message::Draft;
use crate::discord::permissions::Permission;
use crate::discord::world::World;

use super::call::Call;
use super::message_rules::check_message;
use super::refusal::Refusal;
use super::{Outcome, Reply};

/// The time for which Discord remembers a nonce: *the past few minutes*.
const NONCE_LIFE: u64 = 5 * 60_000;
/// The maximum age of messages that can be deleted in bulk.
const BULK_AGE: u64 = 14 * 24 * 3_600_000;

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let mut body = call.body_or_null();
    world.may_write(channel)?;
    check_message(&body, call.files.len())?;
    if !call.files.is_empty() {
        world.need_in(channel, Permission::ATTACH_FILES)?;
    }
    if body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty()) {
        world.need_in(channel, Permission::EMBED_LINKS)?;
    }
    keep_flags(&mut body);
    check_reference(world, channel, &body["message_reference"])?;
    let nonce = nonce(&body);
    if let Some(nonce) = nonce.as_ref().filter(|_| body["enforce_nonce"] == true)
        && let Some(id) = world.nonces.get(&(world.bot, channel, nonce.clone())).copied()
        && world.now() < id.moment() + NONCE_LIFE
        && let Some(earlier) = world.message(channel, id)
    {
        return Reply::ok(earlier.clone());
    }
    let draft = Draft { files: call.uploads(), ..Draft::new(channel, world.bot, body.clone()) };
    let message = world.compose(&draft);
    let id = world.publish(channel, message.clone());
    if let Some(nonce) = nonce {
        world.nonces.insert((world.bot, channel, nonce), id);
    }
    world.note_post(channel, &message, body, call.uploads());
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

fn check_reference(world: &World, channel: Id, reference: &Value) -> Result<(), Refusal> {
    let Some(id) = Id::of(reference, "message_id") else { return Ok(()) };
    let channel = Id::of(reference, "channel_id").unwrap_or(channel);
    if world.message(channel, id).is_none() && reference["fail_if_not_exists"] != false {
        return Err(Refusal::form("/message_reference", "Unknown message"));
    }
    Ok(())
}

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    world.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let message = world.message(channel, call.id("message_id")).ok_or_else(Refusal::unknown_message)?;
    Reply::ok(world.shown(channel, message))
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    world.need_in(channel, Permission::READ_MESSAGE_HISTORY)?;
    let limit = call.limit(50);
    let Some(history) = world.messages.get(&channel) else { return Reply::ok(json!([])) };
    let mut found: Vec<&Value> = match (call.query_id("before"), call.query_id("after"), call.query_id("around")) {
        (Some(before), None, None) => history.range(..before).rev().take(limit).map(|(_, one)| one).collect(),
        (None, Some(after), None) => history.range(Id(after.0 + 1)..).take(limit).map(|(_, one)| one).collect(),
        (None, None, Some(around)) => {
            let before = history.range(..around).rev().take(limit / 2);
            before.chain(history.range(around..).take(limit - limit / 2)).map(|(_, one)| one).collect()
        }
        (None, None, None) => history.values().rev().take(limit).collect(),
        _ => return Err(Refusal::form("/before", "before, after and around exclude each other")),
    };
    // The newest is first, whatever the query.
    found.sort_by_key(|message| std::cmp::Reverse(Id::of(message, "id")));
    Reply::ok(found.into_iter().map(|message| world.shown(channel, message)).collect())
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let (channel, id) = (call.id("channel_id"), call.id("message_id"));
    world.need_in(channel, Permission::VIEW_CHANNEL)?;
    let message = world.message(channel, id).ok_or_else(Refusal::unknown_message)?;
    let body = call.body_or_null();
    if Id::of(&message["author"], "id") != Some(world.bot)
        || !message["webhook_id"].is_null() && message["webhook_id"] != json!(world.bot)
    {
        let only_flags = body.as_object().is_some_and(|fields| fields.keys().all(|key| key == "flags"));
        if !only_flags {
            return Err(Refusal::not_the_author());
        }
        world.need_in(channel, Permission::MANAGE_MESSAGES)?;
    }
    Reply::ok(world.edit(channel, id, &body, &call.uploads())?)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let (channel, id) = (call.id("channel_id"), call.id("message_id"));
    world.need_in(channel, Permission::VIEW_CHANNEL)?;
    let message = world.message(channel, id).ok_or_else(Refusal::unknown_message)?;
    let author = Id::of(&message["author"], "id");
    if author != Some(world.bot) {
        if world.guild_of(channel).is_none() {
            return Err(Refusal::new(403, 50003, "Cannot execute action on a DM channel"));
        }
        world.need_in(channel, Permission::MANAGE_MESSAGES)?;
        if let (Some(guild), Some(author)) = (world.guild_of(channel), author) {
            let options = json!({ "channel_id": channel, "count": "1" });
            world.audit(guild, world.bot, 72, Some(author), call.reason.as_deref(), json!([]), options);
        }
    }
    world.erase(channel, &[id]);
    Reply::nothing()
}

pub(super) fn bulk_delete(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let guild = world.guild_of(channel).ok_or_else(Refusal::wrong_channel_type)?;
    world.need_in(channel, Permission::MANAGE_MESSAGES)?;
    let ids = Id::list(&call.body_or_null()["messages"]);
    if !(2..=100).contains(&ids.len()) {
        return Err(Refusal::bulk_count().blamed(&format!("{} were named", ids.len())));
    }
    let oldest = world.now().saturating_sub(BULK_AGE);
    if ids.iter().any(|id| id.moment() < oldest) {
        return Err(Refusal::too_old());
    }
    let options = json!({ "count": ids.len().to_string() });
    world.audit(guild, world.bot, 73, Some(channel), call.reason.as_deref(), json!([]), options);
    world.erase(channel, &ids);
    Reply::nothing()
}

pub(super) fn typing(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    world.may_write(channel)?;
    world.tell_of_typing(channel, world.bot);
    Reply::nothing()
}

impl World {
    /// A message as the REST API returns it: without content if the application lacks the intent.
    fn shown(&self, channel: Id, message: &Value) -> Value {
        let open = self.options.privileged & MESSAGE_CONTENT != 0 || self.guild_of(channel).is_none();
        if open || is_open_to(message, self.bot) { message.clone() } else { without_content(message) }
    }

    pub(in crate::discord) fn tell_of_typing(&mut self, channel: Id, user: Id) {
        let guild = self.guild_of(channel);
        let mut data = json!({ "channel_id": channel, "user_id": user, "timestamp": self.now() / 1_000 });
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
            data["member"] = self.member_frame(guild, user).unwrap_or_default();
        }
        self.dispatch("TYPING_START", guild, data);
    }
}
