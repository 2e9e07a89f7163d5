//! Posts of the bot.

use std::time::Instant;

use serde_json::Value;

use crate::server::upload::Upload;

use super::id::Id;

/// A post of the bot, as it was requested.
#[derive(Debug, Clone)]
pub struct Post {
    /// The message.
    pub id: Id,
    /// The channel of the message.
    pub channel: Id,
    /// The time of the request.
    pub at: Instant,
    /// The body of the call; of an interaction's callback, its `data`.
    pub body: Value,
    /// The files that came with it.
    pub files: Vec<Upload>,
    /// The name of the author as shown.
    pub author: String,
    /// The current message; null once it is deleted.
    pub message: Value,
}

impl Post {
    /// The current text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.message["content"].as_str().unwrap_or_default()
    }

    /// Its flags: 4 hides previews, 64 is ephemeral, 4096 is silent.
    #[must_use]
    pub fn flags(&self) -> u64 {
        self.message["flags"].as_u64().unwrap_or_default()
    }

    /// Whether it has been deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.message.is_null()
    }

    /// The id of the message that it replies to.
    #[must_use]
    pub fn reply_to(&self) -> Option<Id> {
        let reference = &self.message["message_reference"];
        if reference["type"] == 1 { None } else { Id::of(reference, "message_id") }
    }
}
