//! The stored row of a chat.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::frames;

/// Maximum number of topics of a forum whose names are remembered.
const TOPICS_MAX: usize = 1_000;

/// A chat.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ChatRow {
    pub(crate) kind: ChatKind,
    pub(crate) title: String,
    /// The title before the current one.
    pub(crate) title_before: String,
    /// The names of its topics.
    pub(crate) topics: BTreeMap<i64, String>,
    /// The id that it had as a group, under which scripts know it.
    pub(crate) was: Option<i64>,
    /// The supergroup that it has become.
    pub(crate) moved_to: Option<i64>,
    /// The permissions of members before it was locked, as Telegram's JSON.
    pub(crate) before_lock: Option<String>,
    /// Whether the bot is in it.
    pub(crate) is_in: bool,
}

/// The kind of a chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatKind {
    /// A chat between one user and the bot.
    Private,
    /// A basic group.
    #[default]
    Group,
    /// A supergroup.
    Supergroup,
    /// A channel, in which few write and all read.
    Channel,
}

impl ChatRow {
    /// Updates the row from a frame. Returns true if something has changed.
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

    /// Sets the name of a topic. Returns true if it has changed.
    pub(crate) fn name_topic(&mut self, topic: i64, name: &str) -> bool {
        if self.topics.get(&topic).is_some_and(|known| known == name) {
            return false;
        }
        while self.topics.len() >= TOPICS_MAX {
            self.topics.pop_first();
        }
        self.topics.insert(topic, name.to_owned());
        true
    }
}
