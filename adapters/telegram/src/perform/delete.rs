//! Deletion of messages, one or many per request.

use palabre_model::{Action, ActionError, ActionKey, Batch, Outcome};
use serde_json::json;

use super::done;
use crate::Telegram;

/// Maximum number of messages in a request. <https://core.telegram.org/bots/api#deletemessages>
const DELETE_BATCH_MAX: usize = 100;

impl Telegram {
    /// Deletes messages of a chat with all of their parts.
    pub(super) async fn delete(&self, chat: i64, heads: &[i64]) -> Result<Outcome, ActionError> {
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
            && let Err(error) = self.store.commit(rows).await
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
                    return Err(ActionError::Forbidden(
                        "Telegram does not let the bot delete the message: it needs the right \"Delete Messages\", and often cannot delete messages of others that are older than two days"
                            .to_owned(),
                    ));
                }
                other => drop(done(other)?),
            }
        }
        Ok(Outcome::default())
    }

    /// Performs moderation of one room in order, with consecutive deletes in one request.
    ///
    /// Returns the results of the actions that were tried. A transient error ends it, a refusal by
    /// Telegram does not.
    pub(crate) async fn moderate_together(
        &self,
        actions: &[(&Action, &ActionKey)],
    ) -> Vec<Result<Outcome, ActionError>> {
        let mut results = Vec::with_capacity(actions.len());
        let targets: Vec<_> = actions.iter().map(|(action, _)| self.deletion(action)).collect();
        let mut at = 0;
        while let Some((action, key)) = actions.get(at) {
            let run: Vec<(i64, i64)> = targets[at..].iter().map_while(|target| *target).collect();
            let result = match run.as_slice() {
                [(chat, _), _, ..] => {
                    let ids: Vec<i64> = run.iter().map(|(_, id)| *id).collect();
                    match self.delete(*chat, &ids).await {
                        Ok(_) => {
                            results.extend(ids.iter().map(|_| Ok(Outcome::default())));
                            at += ids.len();
                            continue;
                        }
                        // Telegram may refuse one of them, so the caller tries each by itself.
                        Err(_) => break,
                    }
                }
                // A purge that is repeated would delete other messages.
                _ if !action.kind().is_moderation() || matches!(action, Action::Purge { .. }) => break,
                _ => self.perform_once(action, key).await,
            };
            let is_temporary = matches!(
                result,
                Err(ActionError::Transient(_) | ActionError::RateLimited { .. } | ActionError::Unavailable(_))
            );
            if is_temporary {
                break;
            }
            results.push(result);
            at += 1;
        }
        results
    }

    /// Returns the message that an action deletes, by chat and number.
    fn deletion(&self, action: &Action) -> Option<(i64, i64)> {
        let Action::Delete { room, message, .. } = action else { return None };
        action.check_ids(self.cache.bot()).ok()?;
        self.target(room, message).ok()
    }
}
