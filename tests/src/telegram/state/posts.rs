//! The posts of the bot.

use serde_json::Value;

use crate::server::upload::Upload;
use crate::telegram::post::{MessageRef, Post};
use crate::telegram::state::State;

impl State {
    /// Records a post of the bot.
    pub(in crate::telegram) fn record_post(
        &mut self,
        message: &Value,
        method: &str,
        parameters: Value,
        files: Vec<Upload>,
    ) {
        let at = MessageRef::of(message);
        let thread = message["message_thread_id"].as_i64().filter(|_| message["is_topic_message"] == true);
        self.posts.push(Post { at, thread, method: method.to_owned(), parameters, files, message: Value::Null });
    }

    /// Returns a post with the current message.
    pub(in crate::telegram) fn current(&self, post: &Post) -> Post {
        let message = self.message(post.at.chat, post.at.id).cloned().unwrap_or_default();
        Post { message, ..post.clone() }
    }
}
