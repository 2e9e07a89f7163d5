//! Creation of messages, and their events.

use serde_json::{Value, json};

use super::draft::Draft;
use super::files::embeds;
use super::id::Id;
use super::state::State;
use super::timestamp::stamp;
use crate::json::{drop_nulls, merge, without};

impl State {
    /// Builds a message from a draft, without storing it or sending an event.
    pub(super) fn compose(&mut self, draft: &Draft) -> Value {
        let id = self.fresh_id();
        let body = &draft.body;
        let reference = &body["message_reference"];
        let replied = self.referenced(draft.channel, reference);
        let forward = reference["type"] == 1;
        let kind = if replied.is_some() && !forward { 19 } else { draft.kind };
        let mut attachments = self.attach(draft.channel, body, &draft.files);
        let embeds = embeds(&body["embeds"], &mut attachments);
        let mut message = json!({
            "id": id, "channel_id": draft.channel, "type": kind,
            "content": body["content"].as_str().unwrap_or_default(), "timestamp": stamp(id.moment()),
            "edited_timestamp": null, "tts": body["tts"] == true, "pinned": false,
            "attachments": attachments, "embeds": embeds, "components": numbered(&body["components"]),
            "flags": body["flags"].as_u64().unwrap_or_default(), "author": self.author_frame(draft),
        });
        self.mention(&mut message, draft, replied.as_ref());
        if let Some((webhook, _)) = &draft.webhook {
            message["webhook_id"] = json!(webhook);
        }
        if !body["nonce"].is_null() {
            message["nonce"] = body["nonce"].clone();
        }
        if let Some(stickers) = self.stickers(&Id::list(&body["sticker_ids"])) {
            message["sticker_items"] = stickers;
        }
        if body["poll"].is_object() {
            message["poll"] = self.poll(&body["poll"]);
        }
        if let Some(replied) = replied {
            let guild = self.guild_of(draft.channel);
            message["message_reference"] =
                json!({ "type": u8::from(forward), "channel_id": replied["channel_id"], "message_id": replied["id"] });
            if let Some(guild) = guild {
                message["message_reference"]["guild_id"] = json!(guild);
            }
            if forward {
                message["message_snapshots"] = json!([{ "message": snapshot(&replied) }]);
                message["flags"] = json!(message["flags"].as_u64().unwrap_or_default() | 1 << 14);
            } else {
                message["referenced_message"] = without(replied, &["referenced_message"]);
            }
        }
        merge(&mut message, draft.more.clone());
        message
    }

    /// Stores a message and sends its event. An archived thread is reopened.
    pub(super) fn publish(&mut self, channel: Id, message: Value) -> Id {
        if let Some(place) = self.channels.get_mut(&channel)
            && place["thread_metadata"]["archived"] == true
        {
            place["thread_metadata"]["archived"] = json!(false);
            self.dispatch_channel(channel);
        }
        let id = Id::of(&message, "id").expect("a message has an id");
        self.keep_message(channel, id, message.clone());
        self.dispatch_message("MESSAGE_CREATE", channel, message);
        id
    }

    /// Sends the event of a message, with the fields that only the gateway adds.
    pub(super) fn dispatch_message(&mut self, name: &str, channel: Id, mut message: Value) {
        let guild = self.guild_of(channel);
        message["channel_type"] = self.channels[&channel]["type"].clone();
        if let Some(guild) = guild {
            message["guild_id"] = json!(guild);
            let author = Id::of(&message["author"], "id");
            if message["webhook_id"].is_null()
                && let Some(member) = author.and_then(|author| self.bare_member_frame(guild, author))
            {
                message["member"] = member;
            }
            for mentioned in message["mentions"].as_array_mut().into_iter().flatten() {
                if let Some(id) = Id::of(mentioned, "id")
                    && let Some(member) = self.bare_member_frame(guild, id)
                {
                    mentioned["member"] = member;
                }
            }
        }
        self.dispatch(name, guild, message);
    }

    fn author_frame(&self, draft: &Draft) -> Value {
        let mut author = self.user_frame(draft.author);
        if let Some((webhook, name)) = &draft.webhook {
            let own = self.webhooks.get(webhook).map_or(&Value::Null, |hook| &hook["name"]);
            let name = name.clone().map_or_else(|| own.clone(), Value::from);
            author = json!({
                "id": webhook, "username": name, "discriminator": "0000", "avatar": null, "bot": true,
                "global_name": null, "public_flags": 0, "flags": 0, "primary_guild": null,
            });
        }
        author
    }

    fn referenced(&self, channel: Id, reference: &Value) -> Option<Value> {
        let id = Id::of(reference, "message_id")?;
        let channel = Id::of(reference, "channel_id").unwrap_or(channel);
        self.message(channel, id).cloned()
    }

    fn stickers(&self, ids: &[Id]) -> Option<Value> {
        let all = self.guilds.values().flat_map(|guild| &guild.stickers);
        let found: Vec<_> = all.filter(|one| Id::of(one, "id").is_some_and(|id| ids.contains(&id))).collect();
        let item = |one: &&Value| json!({ "id": one["id"], "name": one["name"], "format_type": one["format_type"] });
        (!found.is_empty()).then(|| found.iter().map(item).collect())
    }

    fn poll(&self, poll: &Value) -> Value {
        let answers = poll["answers"].as_array().into_iter().flatten().enumerate();
        let answers: Vec<_> =
            answers.map(|(index, one)| json!({ "answer_id": index + 1, "poll_media": one["poll_media"] })).collect();
        let hours = poll["duration"].as_u64().unwrap_or(24);
        json!({
            "question": poll["question"], "answers": answers, "expiry": stamp(self.now() + hours * 3_600_000),
            "allow_multiselect": poll["allow_multiselect"] == true, "layout_type": 1,
            "results": { "is_finalized": false, "answer_counts": [] },
        })
    }
}

/// Returns components with the fields that Discord adds: ids, and minimum and maximum choices.
pub(super) fn numbered(components: &Value) -> Value {
    fn walk(value: &mut Value, next: &mut u64) {
        if value["type"].is_u64() && value["id"].as_u64().unwrap_or_default() == 0 {
            value["id"] = json!(*next);
        }
        if matches!(value["type"].as_u64(), Some(3 | 5..=8)) {
            for count in ["min_values", "max_values"] {
                value[count] = json!(value[count].as_u64().unwrap_or(1));
            }
        }
        *next += 1;
        for child in ["components", "items"] {
            value[child].as_array_mut().into_iter().flatten().for_each(|one| walk(one, next));
        }
        drop_nulls(value);
    }
    let mut components = components.as_array().cloned().unwrap_or_default();
    components.iter_mut().for_each(|one| walk(one, &mut 1));
    Value::Array(components)
}

/// The snapshot of a message in a forward.
fn snapshot(message: &Value) -> Value {
    const SHOWN: [&str; 10] = [
        "type",
        "content",
        "embeds",
        "attachments",
        "timestamp",
        "edited_timestamp",
        "flags",
        "mentions",
        "mention_roles",
        "components",
    ];
    SHOWN.iter().map(|field| ((*field).to_owned(), message[*field].clone())).collect()
}
