//! A chat as it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::frames;

/// So many topics of a forum are remembered by name.
const TOPICS: usize = 1_000;

/// What is known of a chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ChatRow {
    pub(crate) kind: ChatKind,
    pub(crate) title: String,
    /// What it was called before.
    pub(crate) title_before: String,
    /// The names of its topics.
    pub(crate) topics: BTreeMap<i64, String>,
    /// The id that it had as a group, under which scripts know it.
    pub(crate) was: Option<i64>,
    /// The supergroup that it has become.
    pub(crate) moved_to: Option<i64>,
    /// What everybody was allowed before it was locked, as Telegram has it.
    pub(crate) before_lock: Option<String>,
    /// Whether the bot is in it.
    pub(crate) is_in: bool,
}

/// What kind of chat it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatKind {
    /// Between one person and the bot.
    Private,
    /// A small group.
    #[default]
    Group,
    /// A group with everything.
    Supergroup,
    /// Where a few write and all read.
    Channel,
}

impl ChatRow {
    /// What the chat itself says of it. True when something of that is new.
    pub(crate) fn update(&mut self, chat: &frames::Chat) -> bool {
        let before = (self.kind, self.title.clone());
        self.kind = match chat.kind.as_str() {
            "private" => ChatKind::Private,
            "supergroup" => ChatKind::Supergroup,
            "channel" => ChatKind::Channel,
            _ => ChatKind::Group,
        };
        let named = chat.named();
        if !named.is_empty() {
            self.title = named;
        }
        before != (self.kind, self.title.clone())
    }

    /// A topic is called that. True when that is new.
    pub(crate) fn name_topic(&mut self, topic: i64, name: &str) -> bool {
        if self.topics.get(&topic).is_some_and(|known| known == name) {
            return false;
        }
        while self.topics.len() >= TOPICS {
            self.topics.pop_first();
        }
        self.topics.insert(topic, name.to_owned());
        true
    }
}
