//! Deletion of messages, one or many per request.

use palabre_types::{ActionError, Batch, Millis, Outcome};
use serde_json::json;

use super::place::Place;
use crate::cache::Recent;
use crate::requests::done;
use crate::telegram::Telegram;

/// Maximum number of messages in a request. <https://core.telegram.org/bots/api#deletemessages>
const DELETE_BATCH_MAX: usize = 100;

/// The error for messages that Telegram does not let the bot delete.
const DELETE_FORBIDDEN_ERROR: &str = "Telegram does not let the bot delete the message: it needs the right \
    \"Delete Messages\", and often cannot delete messages of others that are older than two days";

impl Telegram {
    /// Deletes messages of a chat with all of their parts.
    pub(crate) async fn delete(&self, chat: i64, heads: &[i64]) -> Result<Outcome, ActionError> {
        let ids: Vec<i64> = {
            let state = self.cache.lock();
            heads.iter().flat_map(|head| state.parts_of(chat, *head)).collect()
        };
        let removed = self.remove(chat, ids.clone()).await?;
        self.cache.lock().forget(chat, &ids);
        let mut rows = Batch::default();
        for head in heads {
            self.cache.drop_parts(&mut rows, chat, *head);
        }
        if !rows.is_empty()
            && let Err(error) = self.write("the parts of deleted messages", rows).await
        {
            tracing::warn!(bot = %self.cache.bot(), "cannot store that a message was deleted: {error}");
        }
        Ok(removed)
    }

    /// Deletes messages. Those that are gone already count as deleted.
    pub(super) async fn remove(&self, chat: i64, ids: Vec<i64>) -> Result<Outcome, ActionError> {
        for some in ids.chunks(DELETE_BATCH_MAX) {
            let result = match some {
                [one] => self.in_chat(chat, "deleteMessage", json!({ "chat_id": chat, "message_id": one })).await,
                several => {
                    self.in_chat(chat, "deleteMessages", json!({ "chat_id": chat, "message_ids": several })).await
                }
            };
            match result {
                Err(error) if error.says("message to delete not found") => {}
                Err(error) if error.says("can't be deleted") => {
                    return Err(ActionError::Forbidden(DELETE_FORBIDDEN_ERROR.to_owned()));
                }
                other => drop(done(other)?),
            }
        }
        Ok(Outcome::default())
    }

    /// Deletes up to `count` recent messages of a room: those that are remembered.
    pub(super) async fn purge(
        &self,
        (chat, topic): Place,
        count: u32,
        user: Option<i64>,
        since: Option<Millis>,
    ) -> Result<Outcome, ActionError> {
        let max = usize::try_from(count).unwrap_or(usize::MAX);
        let ids = self.cache.lock().recent(chat, max, |one| {
            one.topic == topic
                && user.is_none_or(|user| one.user == user)
                && since.is_none_or(|since| one.time >= since)
        });
        let ids = ids.ok_or_else(|| ActionError::NotFound("the bot does not know that chat".to_owned()))?;
        self.remove_recent(chat, &ids).await
    }

    /// Deletes the messages of a banned member. Telegram itself does so only in basic groups.
    pub(super) async fn purge_member(&self, chat: i64, user: i64, since: Millis) -> Result<(), ActionError> {
        let is_theirs = |one: &Recent| one.user == user && one.time >= since;
        let ids = self.cache.lock().recent(chat, usize::MAX, is_theirs).unwrap_or_default();
        if !ids.is_empty() {
            self.remove_recent(chat, &ids).await?;
        }
        Ok(())
    }

    /// Deletes messages, and forgets them once they are gone: a retry purges the same messages.
    async fn remove_recent(&self, chat: i64, ids: &[i64]) -> Result<Outcome, ActionError> {
        let removed = self.remove(chat, ids.to_vec()).await?;
        self.cache.lock().forget(chat, ids);
        Ok(removed)
    }
}
