//! Storage of waiting answers.

use palabre_types::{ActionError, ActionKey, Batch, Content};

use super::{Answer, add, read, remove};
use crate::telegram::Telegram;

/// Maximum size of all files of a waiting answer, in bytes.
const FILES_SIZE_MAX: usize = 1 << 20;

impl Telegram {
    /// Stores an answer until the user begins a private chat. Returns `false` if it is too large.
    pub(crate) async fn keep_answer(&self, user: i64, content: &Content, key: &ActionKey) -> Result<bool, ActionError> {
        if content.files.iter().map(|file| file.data.len()).sum::<usize>() > FILES_SIZE_MAX {
            return Ok(false);
        }
        let answer = Answer { key: key.clone(), content: content.clone(), since: self.clock.now() };
        let mut others = self.waiting_answers(user).await?;
        others.retain(|other| other.key != *key);
        let mut rows = Batch::default();
        add(&mut rows, self.cache.bot(), user, &answer, &others);
        self.write("an answer that waits for its user", rows).await?;
        self.waiting.set(user, true);
        Ok(true)
    }

    /// Removes an answer that was delivered, or that cannot be.
    pub(crate) async fn drop_answer(&self, user: i64, answer: &Answer) -> Result<(), ActionError> {
        let mut rows = Batch::default();
        remove(&mut rows, self.cache.bot(), user, &answer.key);
        Ok(self.write("an answer that no longer waits", rows).await?)
    }

    /// Returns the answers that wait for a user, oldest first.
    pub(crate) async fn waiting_answers(&self, user: i64) -> Result<Vec<Answer>, ActionError> {
        let (store, now, bot) = (self.store.clone(), self.clock.now(), self.cache.bot().clone());
        let read_all = move || -> palabre_store::Result<Vec<Answer>> { read(&store.snapshot(now)?, &bot, user) };
        let answers =
            tokio::task::spawn_blocking(read_all).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        answers.map_err(|error| ActionError::Transient(error.to_string()))
    }
}
