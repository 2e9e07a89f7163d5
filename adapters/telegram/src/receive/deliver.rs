//! Delivery of answers that wait for a user, once the user writes to the bot in private.

use std::sync::Arc;

use palabre_platform::Retry;
use palabre_types::{ActionError, DeliveryGuarantee};

use crate::api::{ATTEMPTS_MAX, RETRY_BACKOFF};
use crate::frames::Message;
use crate::telegram::Telegram;
use crate::waiting::Answer;

impl Telegram {
    /// Delivers waiting answers in the background when a user writes to the bot in private.
    pub(super) fn deliver_waiting(self: &Arc<Self>, message: &Message) {
        let user = message.chat.id;
        if user <= 0 || !self.waiting.has(user) {
            return;
        }
        let telegram = Arc::clone(self);
        self.background_tasks.spawn(async move {
            let _alone = telegram.waiting.delivering.lock().await;
            match telegram.deliver(user).await {
                Ok(()) => telegram.waiting.set(user, false),
                Err(error) => {
                    tracing::warn!(bot = %telegram.cache.bot(), "a waiting answer cannot be delivered: {error}");
                }
            }
        });
    }

    async fn deliver(&self, user: i64) -> Result<(), ActionError> {
        for answer in self.waiting_answers(user).await? {
            let is_at_most_once = answer.content.delivery == DeliveryGuarantee::AtMostOnce;
            if is_at_most_once {
                // Before it is sent: a crash in between must not repeat it.
                self.drop_answer(user, &answer).await?;
            }
            match self.deliver_one(user, &answer).await {
                Ok(()) => {}
                Err(error) if is_at_most_once => {
                    tracing::warn!(bot = %self.cache.bot(), "a waiting answer may not have been delivered: {error}");
                }
                // The others may be accepted.
                Err(ActionError::Rejected(why)) => {
                    tracing::warn!(bot = %self.cache.bot(), "dropped a waiting answer that Telegram refuses: {why}");
                }
                Err(error) => return Err(error),
            }
            if !is_at_most_once {
                self.drop_answer(user, &answer).await?;
            }
        }
        Ok(())
    }

    async fn deliver_one(&self, user: i64, answer: &Answer) -> Result<(), ActionError> {
        let sending = || self.send((user, None), &answer.content, None, &answer.key);
        let judge = |error: &ActionError| match error {
            ActionError::Uncertain(_) if answer.content.delivery == DeliveryGuarantee::AtMostOnce => Retry::Never,
            error => retry(error),
        };
        RETRY_BACKOFF.retry(ATTEMPTS_MAX, judge, sending).await.map(drop)
    }
}

/// Returns whether, and after which delay, an answer may be delivered.
fn retry(error: &ActionError) -> Retry {
    match error {
        ActionError::RateLimited { retry_after } => Retry::After(*retry_after),
        error if error.is_temporary() => Retry::WithBackoff,
        _ => Retry::Never,
    }
}
