//! Storage of the data of buttons and polls.

use palabre_platform::EmitError;
use palabre_types::{Batch, Poll};
use serde_json::Value;

use super::stored::{self, Kept, Stored, poll_key};
use crate::telegram::Telegram;

impl Telegram {
    /// Stores the place of a poll, since votes name it by its id only.
    ///
    /// A failure is logged: as the error of the action, it would send the poll again.
    pub(crate) async fn keep_poll(&self, sent: &Value, poll: &Poll) {
        let (Some(id), Some(chat), Some(message)) =
            (sent["poll"]["id"].as_str(), sent["chat"]["id"].as_i64(), sent["message_id"].as_i64())
        else {
            return;
        };
        let topic = sent["message_thread_id"].as_i64().filter(|_| sent["is_topic_message"] == true);
        let stored = Stored::Poll { chat, topic, message, options: poll.options.clone() };
        if let Err(error) = self.keep_buttons(vec![(poll_key(id), stored)]).await {
            tracing::error!(bot = %self.cache.bot(), "cannot store a poll, whose votes no script will see: {error}");
        }
    }

    /// Stores the data of buttons.
    pub(crate) async fn keep_buttons(&self, kept: Kept) -> Result<(), EmitError> {
        if kept.is_empty() {
            return Ok(());
        }
        let mut rows = Batch::default();
        stored::add(&mut rows, self.cache.bot(), kept, self.clock.now());
        self.write("the data of buttons", rows).await
    }

    /// Returns the data that is stored under a key.
    pub(crate) async fn stored(&self, key: &str) -> Option<Stored> {
        let (store, now, bot, key) = (self.store.clone(), self.clock.now(), self.cache.bot().clone(), key.to_owned());
        let read = move || -> palabre_store::Result<Option<Stored>> { stored::read(&store.snapshot(now)?, &bot, &key) };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(error)) => {
                tracing::error!(bot = %self.cache.bot(), "stored button data cannot be read: {error}");
                None
            }
            Err(_) => None,
        }
    }
}
