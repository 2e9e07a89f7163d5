//! Threads, and posts in forums.

use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;
use crate::json::{merge, without};

use super::call::Call;
use super::channels::is_thread;
use super::message_rules::check_message;
use super::refusal::Refusal;
use super::reply::{Outcome, Reply};

const FORUMS: [u64; 2] = [15, 16];

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let (parent, body) = (call.id("channel_id"), call.body_or_null());
    let place = state.channels.get(&parent).ok_or_else(Refusal::unknown_channel)?;
    let forum = place["type"].as_u64().is_some_and(|kind| FORUMS.contains(&kind));
    let kind = if forum { 11 } else { body["type"].as_u64().unwrap_or(12) };
    state.need_in(
        parent,
        match (forum, kind) {
            (true, _) => Permission::SEND_MESSAGES,
            (false, 12) => Permission::CREATE_PRIVATE_THREADS,
            (false, _) => Permission::CREATE_PUBLIC_THREADS,
        },
    )?;
    if forum {
        check_message(&body["message"], call.files.len())?;
    } else if is_thread(place) || state.guild_of(parent).is_none() {
        return Err(Refusal::wrong_channel_type());
    }
    let thread = state.open_thread(parent, None, state.bot, kind, &body);
    let mut frame = state.channels[&thread].clone();
    if forum {
        let draft = Draft { files: call.uploads(), ..Draft::new(thread, state.bot, body["message"].clone()) };
        let mut message = state.compose(&draft);
        // The first message of a post has the id of its thread.
        message["id"] = json!(thread);
        state.publish(thread, message.clone());
        state.record_post(thread, &message, body["message"].clone(), call.uploads());
        frame["message"] = message;
    }
    Reply::created(frame)
}

pub(super) fn create_from_message(state: &mut State, call: &Call) -> Outcome {
    let (parent, message, body) = (call.id("channel_id"), call.id("message_id"), call.body_or_null());
    state.need_in(parent, Permission::CREATE_PUBLIC_THREADS)?;
    state.message(parent, message).ok_or_else(Refusal::unknown_message)?;
    if state.channels.contains_key(&message) {
        return Err(Refusal::thread_exists());
    }
    let thread = state.open_thread(parent, Some(message), state.bot, 11, &body);
    Reply::created(state.channels[&thread].clone())
}

fn thread(state: &State, call: &Call) -> Result<Id, Refusal> {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::VIEW_CHANNEL)?;
    if is_thread(&state.channels[&channel]) { Ok(channel) } else { Err(Refusal::wrong_channel_type()) }
}

pub(super) fn join(state: &mut State, call: &Call) -> Outcome {
    let channel = thread(state, call)?;
    state.change_thread_member(channel, state.bot, true);
    Reply::nothing()
}

pub(super) fn leave(state: &mut State, call: &Call) -> Outcome {
    let channel = thread(state, call)?;
    state.change_thread_member(channel, state.bot, false);
    Reply::nothing()
}

pub(super) fn add(state: &mut State, call: &Call) -> Outcome {
    let channel = thread(state, call)?;
    state.need_in(channel, Permission::SEND_MESSAGES_IN_THREADS)?;
    state.change_thread_member(channel, call.id("user_id"), true);
    Reply::nothing()
}

pub(super) fn remove(state: &mut State, call: &Call) -> Outcome {
    let channel = thread(state, call)?;
    state.need_in(channel, Permission::MANAGE_THREADS)?;
    state.change_thread_member(channel, call.id("user_id"), false);
    Reply::nothing()
}

pub(super) fn active(state: &mut State, call: &Call) -> Outcome {
    let guild = call.id("guild_id");
    state.need(guild, Permission::VIEW_CHANNEL)?;
    let open = |one: &&Value| {
        is_thread(one) && Id::of(one, "guild_id") == Some(guild) && one["thread_metadata"]["archived"] != true
    };
    let threads: Vec<_> = state.channels.values().filter(open).cloned().collect();
    Reply::ok(json!({ "threads": threads, "members": [], "has_more": false }))
}

impl State {
    /// Opens a thread, on a message if one is named, and sends the event.
    pub(in crate::discord) fn open_thread(
        &mut self,
        parent: Id,
        message: Option<Id>,
        owner: Id,
        kind: u64,
        body: &Value,
    ) -> Id {
        let guild = self.guild_of(parent).expect("threads are in guilds");
        let name = body["name"].as_str().unwrap_or("thread").to_owned();
        let (made, now) = (self.create_channel(guild, &name, kind, json!({})), self.stamp());
        // A thread on a message has the id of the message.
        let id = message.unwrap_or(made);
        let mut thread = self.channels.remove(&made).expect("it was just made");
        thread = without(thread, &["topic", "nsfw", "permission_overwrites", "position"]);
        let member = |user: Id| json!({ "id": id, "user_id": user, "join_timestamp": now, "flags": 0 });
        merge(
            &mut thread,
            json!({
                "id": id, "parent_id": parent, "owner_id": owner, "message_count": 0, "member_count": 1,
                "total_message_sent": 0,
                "rate_limit_per_user": body["rate_limit_per_user"].as_u64().unwrap_or_default(),
                "applied_tags": if body["applied_tags"].is_array() { body["applied_tags"].clone() } else { json!([]) },
                "thread_metadata": {
                    "archived": false, "archive_timestamp": now, "locked": false, "create_timestamp": now,
                    "auto_archive_duration": body["auto_archive_duration"].as_u64().unwrap_or(1_440), "invitable": true,
                },
            }),
        );
        if owner == self.bot {
            thread["member"] = member(owner);
        }
        self.channels.insert(id, thread.clone());
        if let Some(one) = message.and_then(|message| self.message_mut(parent, message)) {
            one["thread"] = thread.clone();
            one["flags"] = json!(one["flags"].as_u64().unwrap_or_default() | 1 << 5);
        }
        thread["newly_created"] = json!(true);
        let forum = self.channels[&parent]["type"].as_u64().is_some_and(|kind| FORUMS.contains(&kind));
        self.dispatch("THREAD_CREATE", Some(guild), thread);
        match message {
            // A thread begins with a reference to its message; a thread without one is announced in
            // its channel.
            Some(message) => self.announce(id, owner, 21, "", json!({ "channel_id": parent, "message_id": message })),
            None if !forum && kind != 12 => self.announce(parent, owner, 18, &name, json!({ "channel_id": id })),
            None => {}
        }
        id
    }

    /// Posts a system message in the name of a user.
    fn announce(&mut self, channel: Id, by: Id, kind: u64, text: &str, mut reference: Value) {
        let mut draft = Draft::new(channel, by, json!({ "content": text }));
        draft.kind = kind;
        merge(&mut reference, json!({ "type": 0, "guild_id": self.guild_of(channel) }));
        draft.more = json!({ "message_reference": reference });
        let message = self.compose(&draft);
        self.publish(channel, message);
    }

    /// Adds or removes a member of a thread.
    pub(in crate::discord) fn change_thread_member(&mut self, thread: Id, user: Id, add: bool) {
        let (guild, now) = (self.guild_of(thread), self.stamp());
        let count = self.channels[&thread]["member_count"].as_u64().unwrap_or_default();
        let count = if add { count + 1 } else { count.saturating_sub(1) };
        if let Some(channel) = self.channels.get_mut(&thread) {
            channel["member_count"] = json!(count.min(50));
        }
        let mut data = json!({ "id": thread, "guild_id": guild, "member_count": count.min(50) });
        if add {
            data["added_members"] = json!([{ "id": thread, "user_id": user, "join_timestamp": now, "flags": 0 }]);
        } else {
            data["removed_member_ids"] = json!([user]);
        }
        self.dispatch("THREAD_MEMBERS_UPDATE", guild, data);
    }
}
