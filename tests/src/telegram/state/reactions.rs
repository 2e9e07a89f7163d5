//! The reactions to messages.

use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Value, json};

use crate::telegram::kind::Kind;
use crate::telegram::state::State;

impl State {
    /// The emoji that the description allows for reactions.
    pub(in crate::telegram) fn reaction_emoji(&self) -> &'static [String] {
        static LIST: OnceLock<Vec<String>> = OnceLock::new();
        LIST.get_or_init(|| {
            let quoted = Regex::new(r#""([^"]+)""#).expect("it is written well");
            let text = self.rules.describe("ReactionTypeEmoji", "emoji");
            quoted.captures_iter(text).map(|found| found[1].to_owned()).collect()
        })
    }

    /// Sets a user's reactions to a message, and sends the update unless they are the bot's own.
    pub(in crate::telegram) fn react(&mut self, chat: i64, id: i64, user: i64, new: Vec<Value>) {
        let all = self.place(chat).reactions.entry(id).or_default();
        let old = all.insert(user, new.clone()).unwrap_or_default();
        if new.is_empty() {
            all.remove(&user);
        }
        if user == self.bot || old == new {
            return;
        }
        let anonymous = self.chats[&chat].kind == Kind::Channel;
        let is_sent = self.chats[&chat].kind == Kind::Private || self.member(chat, self.bot).is_admin();
        if !is_sent {
            return;
        }
        let mut update = json!({ "chat": self.chat_frame(chat), "message_id": id, "date": self.seconds() });
        if anonymous {
            let mut counts: Vec<(Value, u64)> = Vec::new();
            for one in self.chats[&chat].reactions[&id].values().flatten() {
                match counts.iter_mut().find(|(kind, _)| kind == one) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((one.clone(), 1)),
                }
            }
            let counts: Vec<Value> =
                counts.into_iter().map(|(kind, count)| json!({ "type": kind, "total_count": count })).collect();
            update["reactions"] = Value::Array(counts);
            self.give("message_reaction_count", update);
        } else {
            update["user"] = self.user_frame(user);
            update["old_reaction"] = Value::Array(old);
            update["new_reaction"] = Value::Array(new);
            self.give("message_reaction", update);
        }
    }
}
