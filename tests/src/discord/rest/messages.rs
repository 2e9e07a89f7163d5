//! Messages of channels.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::intents::MESSAGE_CONTENT;
use crate::discord::message::{Draft, Post, Upload, is_open_to, numbered, without_content};
use crate::discord::permissions::Permission;
use crate::discord::world::World;

use super::call::Call;
use super::message_rules::{check_edit, check_message};
use super::refusal::Refusal;
use super::{Outcome, Reply};

/// How long Discord remembers a nonce: *the past few minutes*.
const NONCE_LIFE: u64 = 5 * 60_000;
/// Older messages cannot be deleted in bulk.
const BULK_AGE: u64 = 14 * 24 * 3_600_000;

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    let body = call.body_or_null();
    world.may_write(channel)?;
    check_message(&body, call.files.len())?;
    if !call.files.is_empty() {
        world.need_in(channel, Permission::ATTACH_FILES)?;
    }
    if body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty()) {
        world.need_in(channel, Permission::EMBED_LINKS)?;
    }
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
    // The newest stands first, whichever way was asked.
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
        return Err(Refusal::bulk_count().as_violation(&format!("{} were named", ids.len())));
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
    /// Whether the bot may write in a channel.
    pub(super) fn may_write(&self, channel: Id) -> Result<(), Refusal> {
        let place = self.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
        match place["type"].as_u64() {
            Some(1) => {
                let recipient = Id::of(&place["recipients"][0], "id").and_then(|id| self.users.get(&id));
                let open = recipient.is_some_and(|user| user.open_to_direct && !user.bot);
                if open { Ok(()) } else { Err(Refusal::cannot_direct()) }
            }
            Some(4 | 15 | 16) => Err(Refusal::new(400, 50008, "Cannot send messages in a non-text channel")),
            Some(10..=12) if place["thread_metadata"]["locked"] == true => {
                self.need_in(channel, Permission::MANAGE_THREADS)
            }
            Some(10..=12) => self.need_in(channel, Permission::SEND_MESSAGES_IN_THREADS),
            _ => self.need_in(channel, Permission::SEND_MESSAGES),
        }
    }

    /// A message as REST shows it: without the intent in the application, without content.
    fn shown(&self, channel: Id, message: &Value) -> Value {
        let open = self.options.privileged & MESSAGE_CONTENT != 0 || self.guild_of(channel).is_none();
        if open || is_open_to(message, self.bot) { message.clone() } else { without_content(message) }
    }

    /// Changes a message and tells of it.
    pub(in crate::discord) fn edit(
        &mut self,
        channel: Id,
        id: Id,
        body: &Value,
        files: &[Upload],
    ) -> Result<Value, Refusal> {
        let mut message = self.message(channel, id).cloned().ok_or_else(Refusal::unknown_message)?;
        check_edit(body)?;
        let has = |field: &str| body.get(field).is_some();
        // What is said anew is made like a new message; what is not said stays.
        let draft_body = json!({
            "content": if has("content") { &body["content"] } else { &message["content"] },
            "embeds": body["embeds"], "components": body["components"], "attachments": body["attachments"],
            "allowed_mentions": body["allowed_mentions"],
        });
        let author = Id::of(&message["author"], "id").unwrap_or(self.bot);
        let draft = Draft { files: files.to_vec(), ..Draft::new(channel, author, draft_body) };
        let made = self.compose(&draft);
        if has("content") {
            for field in ["content", "mentions", "mention_roles", "mention_everyone"] {
                message[field] = made[field].clone();
            }
        }
        if has("embeds") {
            message["embeds"] = made["embeds"].clone();
        }
        if has("components") {
            message["components"] = numbered(&body["components"]);
        }
        if has("flags") {
            // Only previews can be hidden or shown by an edit, and a message turned into one of components.
            let kept = message["flags"].as_u64().unwrap_or_default() & !4;
            message["flags"] = json!(kept | body["flags"].as_u64().unwrap_or_default() & (4 | 1 << 15));
        }
        self.keep_attachments(&mut message, body, made);
        let files = message["attachments"].as_array().map_or(0, Vec::len);
        let stickers = message["sticker_items"].is_array() || message["poll"].is_object();
        let left = |field: &str| message[field].as_array().is_some_and(|all| !all.is_empty());
        if message["content"] == "" && files == 0 && !stickers && !left("embeds") && !left("components") {
            return Err(Refusal::empty_message().as_violation("an edit must leave something"));
        }
        if message["flags"].as_u64().unwrap_or_default() & 128 == 0 {
            message["edited_timestamp"] = json!(self.stamp());
        }
        // The answer that was still being thought about is there now.
        message["flags"] = json!(message["flags"].as_u64().unwrap_or_default() & !128);
        self.replace(channel, id, message)
    }

    /// The attachments that `body` lists stay, all stay if it lists none, and new ones come after them.
    fn keep_attachments(&mut self, message: &mut Value, body: &Value, mut made: Value) {
        let mut stay = message["attachments"].as_array().cloned().unwrap_or_default();
        if let Some(listed) = body["attachments"].as_array() {
            stay.retain(|one| listed.iter().any(|other| Id::of(other, "id") == Id::of(one, "id")));
        }
        stay.extend(made["attachments"].as_array_mut().map(std::mem::take).unwrap_or_default());
        message["attachments"] = Value::Array(stay);
    }

    fn replace(&mut self, channel: Id, id: Id, message: Value) -> Result<Value, Refusal> {
        let ephemeral = message["flags"].as_u64().unwrap_or_default() & 64 != 0;
        *self.message_mut(channel, id).ok_or_else(Refusal::unknown_message)? = message.clone();
        if !ephemeral {
            self.tell_of_message("MESSAGE_UPDATE", channel, message.clone());
        }
        Ok(message)
    }

    /// Deletes messages and tells of it; those that are not there are passed over.
    pub(in crate::discord) fn erase(&mut self, channel: Id, ids: &[Id]) {
        let guild = self.guild_of(channel);
        let history = self.messages.entry(channel).or_default();
        let gone: Vec<Value> = ids.iter().filter_map(|id| history.remove(id)).collect();
        let seen: Vec<Id> = gone
            .iter()
            .filter(|one| one["flags"].as_u64().unwrap_or_default() & 64 == 0)
            .filter_map(|one| Id::of(one, "id"))
            .collect();
        let mut data = json!({ "channel_id": channel });
        if let Some(guild) = guild {
            data["guild_id"] = json!(guild);
        }
        match seen.as_slice() {
            [] => {}
            [id] if ids.len() == 1 => {
                data["id"] = json!(id);
                self.dispatch("MESSAGE_DELETE", guild, data);
            }
            _ => {
                data["ids"] = json!(seen);
                self.dispatch("MESSAGE_DELETE_BULK", guild, data);
            }
        }
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

    /// Remembers what the bot said.
    pub(super) fn note_post(&mut self, channel: Id, message: &Value, body: Value, files: Vec<Upload>) {
        let id = Id::of(message, "id").expect("a message has an id");
        let author = message["author"]["username"].as_str().unwrap_or_default().to_owned();
        self.posts.push(Post { id, channel, body, files, author, message: Value::Null });
    }

    /// Whether the bot has a permission in a channel. What it cannot see it cannot reach.
    pub(super) fn need_in(&self, channel: Id, permission: Permission) -> Result<(), Refusal> {
        if !self.channels.contains_key(&channel) {
            return Err(Refusal::unknown_channel());
        }
        let Some(guild) = self.guild_of(channel) else { return Ok(()) };
        let bits = self.permissions(guild, self.bot, Some(channel));
        if bits & Permission::VIEW_CHANNEL.0 == 0 {
            return Err(Refusal::missing_access());
        }
        if bits & permission.0 == 0 { Err(Refusal::missing_permissions()) } else { Ok(()) }
    }

    /// Whether the bot has a permission in a guild.
    pub(super) fn need(&self, guild: Id, permission: Permission) -> Result<(), Refusal> {
        if !self.guilds.get(&guild).is_some_and(|home| home.members.contains_key(&self.bot)) {
            return Err(if self.guilds.contains_key(&guild) {
                Refusal::missing_access()
            } else {
                Refusal::unknown_guild()
            });
        }
        let has = self.permissions(guild, self.bot, None) & permission.0 != 0;
        if has { Ok(()) } else { Err(Refusal::missing_permissions()) }
    }
}
