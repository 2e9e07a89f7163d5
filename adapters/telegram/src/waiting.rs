//! Answers that are for one person's eyes, and could not be delivered: a bot may write to nobody who has not begun with it. They wait
//! until that person does, by the link that they are shown.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use palabre_model::{ActionError, ActionKey, Batch, Content, Millis};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};

use crate::Telegram;
use crate::frames::Message;

/// Answers by bot, person and action.
const WAITING: Table<(String, u64, String), Answer> = Table::new(TableId::TelegramWaiting);
/// How long an answer waits.
const LIFE: Millis = 86_400_000;
/// So many wait for one person; the oldest makes room.
const MOST: usize = 20;
/// The largest files of an answer that are kept, in bytes.
const FILES: usize = 1 << 20;
/// How often it is tried to deliver one.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// What the link gives to `/start`.
pub(crate) const PAYLOAD: &str = "answer";

/// An answer that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Answer {
    key: ActionKey,
    content: Content,
    since: Millis,
}

/// For whom there are answers.
#[derive(Default)]
pub(crate) struct Waiting {
    users: Mutex<HashSet<i64>>,
    /// Held while answers are delivered: whoever writes twice gets them once.
    delivering: tokio::sync::Mutex<()>,
}

impl Waiting {
    /// Takes up for whom there were answers before.
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
    /// Keeps an answer until that person begins with the bot. `false` where it is too large for that.
    pub(crate) async fn hold(&self, user: i64, content: &Content, key: &ActionKey) -> Result<bool, ActionError> {
        if content.files.iter().map(|file| file.data.len()).sum::<usize>() > FILES {
            return Ok(false);
        }
        let now = self.clock.now();
        let mut rows = Batch::default();
        let mut others = self.answers(user).await?;
        others.retain(|other| other.key != *key);
        let surplus = (others.len() + 1).saturating_sub(MOST);
        for other in others.iter().take(surplus) {
            WAITING.delete(&mut rows, &self.waiting_key(user, &other.key));
        }
        let answer = Answer { key: key.clone(), content: content.clone(), since: now };
        WAITING.put_until(&mut rows, &self.waiting_key(user, key), &answer, Some(now + LIFE));
        self.store.commit(rows).await.map_err(|error| ActionError::Transient(error.to_string()))?;
        self.waiting.set(user, true);
        Ok(true)
    }

    /// Somebody writes to the bot alone: what waits for them is delivered, beside.
    pub(crate) fn deliver_waiting(self: &Arc<Self>, message: &Message) {
        let user = message.chat.id;
        if user <= 0 || !self.waiting.has(user) {
            return;
        }
        let telegram = Arc::clone(self);
        self.beside(async move {
            let _alone = telegram.waiting.delivering.lock().await;
            match telegram.deliver(user).await {
                Ok(()) => telegram.waiting.set(user, false),
                Err(error) => {
                    tracing::warn!(bot = %telegram.world.bot(), "an answer that waits cannot be delivered: {error}");
                }
            }
        });
    }

    async fn deliver(&self, user: i64) -> Result<(), ActionError> {
        for answer in self.answers(user).await? {
            match self.deliver_one(user, &answer).await {
                Ok(()) => {}
                // Others may be taken.
                Err(ActionError::Rejected(why)) => {
                    tracing::warn!(bot = %self.world.bot(), "an answer that waited is refused: {why}");
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
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            let wait = match self.say((user, None), &answer.content, None, &answer.key).await {
                Err(ActionError::RateLimited { retry_after }) => retry_after,
                Err(ActionError::Transient(_) | ActionError::Unavailable(_)) => pause,
                said => return said.map(drop),
            };
            tokio::time::sleep(wait).await;
            pause *= 2;
        }
        self.say((user, None), &answer.content, None, &answer.key).await.map(drop)
    }

    /// What waits for somebody, the oldest first.
    async fn answers(&self, user: i64) -> Result<Vec<Answer>, ActionError> {
        let (store, now) = (self.store.clone(), self.clock.now());
        let prefix = (self.world.bot().to_string(), user.unsigned_abs());
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
        (self.world.bot().to_string(), user.unsigned_abs(), key.to_string())
    }
}
