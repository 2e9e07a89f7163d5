//! Posts and actions of the bot.

use std::fmt;

use serde_json::Value;

use crate::server::upload::Upload;

/// A message id with its chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageRef {
    /// The chat.
    pub chat: i64,
    /// `message_id`
    pub id: i64,
}

impl fmt::Display for MessageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.chat, self.id)
    }
}

impl MessageRef {
    /// Returns the reference of a Telegram message.
    pub(super) fn of(message: &Value) -> Self {
        let number = |value: &Value| value.as_i64().expect("a message has a number and a chat");
        Self { chat: number(&message["chat"]["id"]), id: number(&message["message_id"]) }
    }
}

/// A post of the bot, as it was requested.
#[derive(Debug, Clone)]
pub struct Post {
    /// The message.
    pub at: MessageRef,
    /// The topic; none for the general one.
    pub thread: Option<i64>,
    /// The method that sent it: `sendMessage`.
    pub method: String,
    /// The parameters of the call.
    pub parameters: Value,
    /// The files that came with it.
    pub files: Vec<Upload>,
    /// The current message; null once it is deleted.
    pub message: Value,
}

impl Post {
    /// The current text or caption.
    #[must_use]
    pub fn text(&self) -> &str {
        text(&self.message)
    }

    /// The id of the message that it replies to.
    #[must_use]
    pub fn reply_to(&self) -> Option<i64> {
        let reply = self.message["reply_to_message"]["message_id"].as_i64();
        // A message in a topic that is not a reply refers to the message that opened the topic.
        reply.filter(|reply| self.thread != Some(*reply))
    }

    /// Whether it has been deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.message.is_null()
    }

    /// The labels of its inline buttons, row by row.
    #[must_use]
    pub fn buttons(&self) -> Vec<Vec<String>> {
        let rows = self.message["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
        let row = |row: &Value| {
            let buttons = row.as_array().into_iter().flatten();
            buttons.map(|button| button["text"].as_str().unwrap_or_default().to_owned()).collect()
        };
        rows.map(row).collect()
    }
}

/// Returns the text or the caption of a message.
pub(super) fn text(message: &Value) -> &str {
    message["text"].as_str().or(message["caption"].as_str()).unwrap_or_default()
}

/// A chat action of the bot: `typing`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The chat.
    pub chat: i64,
    /// The topic.
    pub thread: Option<i64>,
    /// The action.
    pub action: String,
}
