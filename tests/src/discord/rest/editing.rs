//! Edits and deletions of messages.

use serde_json::{Value, json};

use crate::discord::draft::Draft;
use crate::discord::id::Id;
use crate::discord::message::numbered;
use crate::discord::state::State;
use crate::server::upload::Upload;

use super::message_rules::check_edit;
use super::refusal::Refusal;

impl State {
    /// Edits a message and sends the event.
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
        // New fields are processed as in a new message; other fields stay.
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
            // An edit can change only two flags: hidden previews, and components instead of
            // content.
            let kept = message["flags"].as_u64().unwrap_or_default() & !4;
            message["flags"] = json!(kept | body["flags"].as_u64().unwrap_or_default() & (4 | 1 << 15));
        }
        self.keep_attachments(&mut message, body, made);
        let files = message["attachments"].as_array().map_or(0, Vec::len);
        let stickers = message["sticker_items"].is_array() || message["poll"].is_object();
        let left = |field: &str| message[field].as_array().is_some_and(|all| !all.is_empty());
        if message["content"] == "" && files == 0 && !stickers && !left("embeds") && !left("components") {
            return Err(Refusal::empty_message().blamed("an edit must leave something"));
        }
        if message["flags"].as_u64().unwrap_or_default() & 128 == 0 {
            message["edited_timestamp"] = json!(self.stamp());
        }
        // A deferred answer is complete now.
        message["flags"] = json!(message["flags"].as_u64().unwrap_or_default() & !128);
        self.replace(channel, id, message)
    }

    /// Keeps the attachments that `body` lists, or all if it lists none, and appends new ones.
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
            self.dispatch_message("MESSAGE_UPDATE", channel, message.clone());
        }
        Ok(message)
    }

    /// Deletes messages and sends the event; missing ones are ignored.
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
}
