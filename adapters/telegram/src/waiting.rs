//! Ephemeral answers that could not be delivered.
//!
//! A bot cannot write to a user who has not begun a private chat with it. Such answers wait until
//! the user does, by the link that is shown.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_model::{ActionError, ActionKey, Batch, Content, Millis};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

use crate::Telegram;
use crate::frames::Message;

/// Answers by bot, user and action.
const WAITING: Table<(String, u64, String), Answer> = Table::new(TableId::TelegramPendingAnswers);
/// Lifetime of a waiting answer, in milliseconds.
const WAITING_LIFETIME: Millis = 86_400_000;
/// Maximum number of answers that wait for a user; the oldest are dropped.
const WAITING_MAX: usize = 20;
/// Maximum size of all files of a waiting answer, in bytes.
const FILES_SIZE_MAX: usize = 1 << 20;
/// Attempts to deliver an answer.
const ATTEMPTS_MAX: u32 = 6;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);
/// The parameter of `/start` in the link.
pub(crate) const START_PAYLOAD: &str = "answer";

/// A waiting answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    key: ActionKey,
    content: Content,
    since: Millis,
}

/// The users for whom answers wait.
#[derive(Default)]
pub(crate) struct Waiting {
    users: Mutex<HashSet<i64>>,
    /// Held while answers are delivered: two messages of a user do not deliver them twice.
    delivering: tokio::sync::Mutex<()>,
}

impl Waiting {
    /// Loads the users for whom answers wait.
    pub(crate) fn load(&self, snapshot: &Snapshot, bot: &str) -> palabre_store::Result<()> {
        let mut known = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        for row in WAITING.scan(snapshot, &bot.to_owned(), Direction::Forward)? {
            let ((of, user, _), _) = row?;
            if let Some(user) = i64::try_from(user).ok().filter(|_| of == bot) {
                known.insert(user);
            }
        }
        Ok(())
    }

    fn has(&self, user: i64) -> bool {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).contains(&user)
    }

    fn set(&self, user: i64, waits: bool) {
        let mut known = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            known.insert(user)
        } else {
            known.remove(&user)
        };
    }
}

impl Telegram {
    /// Stores an answer until the user begins a private chat. Returns `false` if it is too large.
    pub(crate) async fn keep_answer(&self, user: i64, content: &Content, key: &ActionKey) -> Result<bool, ActionError> {
        if content.files.iter().map(|file| file.data.len()).sum::<usize>() > FILES_SIZE_MAX {
            return Ok(false);
        }
        let now = self.clock.now();
        let mut rows = Batch::default();
        let mut others = self.answers(user).await?;
        others.retain(|other| other.key != *key);
        let surplus = (others.len() + 1).saturating_sub(WAITING_MAX);
        for other in others.iter().take(surplus) {
            WAITING.delete(&mut rows, &self.waiting_key(user, &other.key));
        }
        let answer = Answer { key: key.clone(), content: content.clone(), since: now };
        WAITING.put_until(&mut rows, &self.waiting_key(user, key), &answer, Some(now + WAITING_LIFETIME));
        self.store.commit(rows).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        self.waiting.set(user, true);
        Ok(true)
    }

    /// Delivers waiting answers in the background when a user writes to the bot in private.
    pub(crate) fn deliver_waiting(self: &Arc<Self>, message: &Message) {
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
        for answer in self.answers(user).await? {
            match self.deliver_one(user, &answer).await {
                Ok(()) => {}
                // The others may be accepted.
                Err(ActionError::Rejected(why)) => {
                    tracing::warn!(bot = %self.cache.bot(), "dropped a waiting answer that Telegram refuses: {why}");
                }
                Err(error) => return Err(error),
            }
            let mut rows = Batch::default();
            WAITING.delete(&mut rows, &self.waiting_key(user, &answer.key));
            self.store.commit(rows).await.map_err(|error| ActionError::Transient(error.to_string()))?;
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

    /// Returns the answers that wait for a user, oldest first.
    async fn answers(&self, user: i64) -> Result<Vec<Answer>, ActionError> {
        let (store, now) = (self.store.clone(), self.clock.now());
        let prefix = (self.cache.bot().to_string(), user.unsigned_abs());
        let read = move || -> palabre_store::Result<Vec<Answer>> {
            let snapshot = store.snapshot(now)?;
            let mut answers = Vec::new();
            for row in WAITING.scan(&snapshot, &prefix, Direction::Forward)? {
                answers.push(row?.1);
            }
            answers.sort_by_key(|answer| answer.since);
            Ok(answers)
        };
        let read =
            tokio::task::spawn_blocking(read).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        read.map_err(|error| ActionError::Transient(error.to_string()))
    }

    fn waiting_key(&self, user: i64, key: &ActionKey) -> (String, u64, String) {
        (self.cache.bot().to_string(), user.unsigned_abs(), key.to_string())
    }
}
