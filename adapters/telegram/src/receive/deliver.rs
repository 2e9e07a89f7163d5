//! Delivery of answers that wait for a user, once the user writes to the bot in private.

use std::sync::Arc;
use std::time::Duration;

use palabre_types::ActionError;

use crate::frames::Message;
use crate::telegram::Telegram;
use crate::waiting::Answer;

/// Attempts to deliver an answer.
const ATTEMPTS_MAX: u32 = 6;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);

impl Telegram {
    /// Delivers waiting answers in the background when a user writes to the bot in private.
    pub(super) fn deliver_waiting(self: &Arc<Self>, message: &Message) {
        let user = message.chat.id;
        if user <= 0 || !self.waiting.has(user) {
            return;
        }
        let telegram = Arc::clone(self);
        self.spawn_background(async move {
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
            match self.deliver_one(user, &answer).await {
                Ok(()) => {}
                // The others may be accepted.
                Err(ActionError::Rejected(why)) => {
                    tracing::warn!(bot = %self.cache.bot(), "dropped a waiting answer that Telegram refuses: {why}");
                }
                Err(error) => return Err(error),
            }
            self.drop_answer(user, &answer).await?;
        }
        Ok(())
    }

    async fn deliver_one(&self, user: i64, answer: &Answer) -> Result<(), ActionError> {
        let mut pause = RETRY_DELAY_MIN;
        for _ in 1..ATTEMPTS_MAX {
            let wait = match self.send((user, None), &answer.content, None, &answer.key).await {
                Err(ActionError::RateLimited { retry_after }) => retry_after,
                Err(ActionError::Transient(_) | ActionError::Unavailable(_)) => pause,
                sent => return sent.map(drop),
            };
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.send((user, None), &answer.content, None, &answer.key).await.map(drop)
    }
}
