//! The messages: creation, storage and updates.

use serde_json::{Value, json};

use crate::json::{drop_nulls, merge, without};
use crate::telegram::kind::Kind;
use crate::telegram::member::{Member, Status};
use crate::telegram::message::{Draft, OWN_FIELDS, is_service};
use crate::telegram::post::text;
use crate::telegram::state::State;

/// The maximum number of stored messages per chat.
///
/// Older ones are dropped, so that long tests stay small.
const HISTORY_MAX: usize = 2_000;

/// Service messages that the bot receives even if it caused them.
const SENT_FOR_OWN: [&str; 8] = [
    "left_chat_member",
    "new_chat_title",
    "pinned_message",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "migrate_to_chat_id",
];

impl State {
    /// Creates and stores a message, and sends the update if the bot may see it.
    pub(in crate::telegram) fn publish(&mut self, draft: Draft) -> Value {
        let Draft { chat, author, thread, content, reply } = draft;
        let place = self.place(chat);
        place.last_message += 1;
        let id = place.last_message;
        let is_channel = place.kind == Kind::Channel;
        let (is_forum, is_supergroup) = (place.is_forum, place.kind == Kind::Supergroup);
        let mut message = json!({ "message_id": id, "date": self.seconds(), "chat": self.chat_frame(chat) });
        if is_channel {
            message["sender_chat"] = self.chat_frame(chat);
        } else {
            message["from"] = self.user_frame(author);
        }
        if let Some(thread) = thread.filter(|thread| is_forum && *thread != 1) {
            message["message_thread_id"] = json!(thread);
            message["is_topic_message"] = json!(true);
            // A message that is not a reply replies to the message that opened the topic.
            if reply.is_none()
                && let Some(opening) = self.message(chat, thread).cloned()
            {
                message["reply_to_message"] = opening;
            }
        }
        if let Some(reply) = reply {
            // Without topics, a chain of replies is a thread with the id of its first message.
            if is_supergroup && !is_forum {
                let first = reply["message_thread_id"].as_i64().or(reply["message_id"].as_i64());
                message["message_thread_id"] = json!(first);
            }
            message["reply_to_message"] = without(reply, &["reply_to_message"]);
        }
        merge(&mut message, content);
        let place = self.place(chat);
        place.messages.insert(id, message.clone());
        if place.messages.len() > HISTORY_MAX {
            place.messages.pop_first();
        }
        self.send_update(&message, author, false);
        message
    }

    /// Posts a service message about an action of a user.
    pub(in crate::telegram) fn post_service(
        &mut self,
        chat: i64,
        by: i64,
        thread: Option<i64>,
        content: Value,
    ) -> Value {
        self.publish(Draft { thread, ..Draft::new(chat, by, content) })
    }

    /// Sends the update for a new or edited message.
    pub(in crate::telegram) fn send_update(&mut self, message: &Value, author: i64, is_edited: bool) {
        let chat = message["chat"]["id"].as_i64().expect("a message is in a chat");
        if !self.bot_sees(chat, author, message) {
            return;
        }
        let kind = match (self.chats[&chat].kind == Kind::Channel, is_edited) {
            (true, false) => "channel_post",
            (true, true) => "edited_channel_post",
            (false, false) => "message",
            (false, true) => "edited_message",
        };
        self.give(kind, message.clone());
    }

    fn bot_sees(&self, chat: i64, author: i64, message: &Value) -> bool {
        if author == self.bot {
            return SENT_FOR_OWN.iter().any(|field| !message[*field].is_null());
        }
        if self.chats[&chat].kind == Kind::Private {
            return !self.users[&chat].blocks;
        }
        let member = self.member(chat, self.bot);
        let is_about_bot = message["left_chat_member"]["id"] == self.bot;
        if !member.is_in() && !is_about_bot {
            return false;
        }
        // Bots do not receive messages of other bots.
        if self.users[&author].is_bot && !is_service(message) {
            return false;
        }
        self.options.reads_all || member.is_admin() || is_service(message) || self.is_meant_for_bot(message)
    }

    /// Whether a bot in privacy mode receives it: a command, a reply to it, a mention of it.
    fn is_meant_for_bot(&self, message: &Value) -> bool {
        let name = &self.users[&self.bot].name;
        let text = text(message);
        let is_for_another =
            |command: &str| command.split_once('@').is_some_and(|(_, bot)| !bot.eq_ignore_ascii_case(name));
        let command = text.split_whitespace().next().filter(|word| word.starts_with('/'));
        command.is_some_and(|command| !is_for_another(command))
            || message["reply_to_message"]["from"]["id"] == self.bot
            || message["via_bot"]["id"] == self.bot
            || text.to_lowercase().contains(&format!("@{}", name.to_lowercase()))
    }

    /// Changes fields of a message; null removes one. `visibly` sets the edit date.
    pub(in crate::telegram) fn edit(&mut self, chat: i64, id: i64, fields: Value, visibly: bool) -> Value {
        let now = self.seconds();
        let message = self.place(chat).messages.get_mut(&id).expect("the message was found before");
        merge(message, fields);
        if visibly {
            message["edit_date"] = json!(now);
        }
        drop_nulls(message);
        message.clone()
    }

    /// Deletes a message. Telegram sends no update about it.
    pub(in crate::telegram) fn erase(&mut self, chat: i64, id: i64) {
        let place = self.place(chat);
        place.messages.remove(&id);
        place.pinned.retain(|pinned| *pinned != id);
        place.reactions.remove(&id);
    }

    /// Pins a message, and posts the service message.
    pub(in crate::telegram) fn pin(&mut self, chat: i64, by: i64, id: i64) {
        let place = self.place(chat);
        place.pinned.retain(|pinned| *pinned != id);
        place.pinned.push(id);
        let pinned = without(place.messages[&id].clone(), &["reply_to_message"]);
        let thread = pinned["message_thread_id"].as_i64();
        self.post_service(chat, by, thread, json!({ "pinned_message": pinned }));
    }

    /// Adds a user to a chat, by themselves or added by another.
    pub(in crate::telegram) fn enter(&mut self, chat: i64, by: i64, user: i64, more: &Value) {
        let is_channel = self.chats[&chat].kind == Kind::Channel;
        self.set_member(chat, by, user, Member::new(Status::Member), more);
        if !is_channel {
            let member = self.user_frame(user);
            self.post_service(chat, by, None, json!({ "new_chat_members": [member] }));
        }
    }

    /// Removes a user from a chat, with a new status.
    pub(in crate::telegram) fn depart(&mut self, chat: i64, by: i64, user: i64, status: Status) {
        let was_in = self.member(chat, user).is_in();
        // The bot receives its own removal only as a status change, except in a basic group.
        self.set_member(chat, by, user, Member::new(status), &Value::Null);
        if was_in && self.chats[&chat].kind != Kind::Channel {
            let member = self.user_frame(user);
            self.post_service(chat, by, None, json!({ "left_chat_member": member }));
        }
    }

    /// Returns the origin of a message for a forward.
    pub(in crate::telegram) fn origin(&self, message: &Value) -> Value {
        if !message["forward_origin"].is_null() {
            return message["forward_origin"].clone();
        }
        if message["sender_chat"]["type"] == "channel" {
            return json!({
                "type": "channel", "date": message["date"], "chat": message["sender_chat"],
                "message_id": message["message_id"],
            });
        }
        json!({ "type": "user", "date": message["date"], "sender_user": message["from"] })
    }

    /// Returns the fields of a message that is forwarded.
    pub(in crate::telegram) fn forwarded(&self, message: Value) -> Value {
        let origin = self.origin(&message);
        let mut passed = without(message, &OWN_FIELDS);
        passed["forward_origin"] = origin;
        passed
    }

    /// Upgrades a group to a supergroup: the old chat is abandoned, and both get a service message.
    pub(in crate::telegram) fn migrate(&mut self, chat: i64, by: i64) -> i64 {
        let old = self.chats[&chat].clone();
        let members: Vec<i64> = Vec::new();
        let new = self.create_chat(Kind::Supergroup, &old.title, &members);
        let place = self.place(new);
        (place.members, place.permissions) = (old.members, old.permissions);
        self.post_service(chat, by, None, json!({ "migrate_to_chat_id": new }));
        self.place(chat).migrated_to = Some(new);
        self.post_service(new, by, None, json!({ "migrate_from_chat_id": chat }));
        new
    }
}
