//! Ephemeral answers that could not be delivered.
//!
//! A bot cannot write to a user who has not begun a private chat with it. Such answers wait until
//! the user does, by the link that is shown.

mod keep;

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{ActionKey, Batch, BotName, Content, Millis};
use serde::{Deserialize, Serialize};

/// Answers by bot, user and action.
const WAITING: Table<(String, u64, String), Answer> = Table::new(TableId::TelegramPendingAnswers);
/// Lifetime of a waiting answer, in milliseconds.
const WAITING_LIFETIME: Millis = 86_400_000;
/// Maximum number of answers that wait for a user; the oldest are dropped.
const WAITING_MAX: usize = 20;
/// The parameter of `/start` in the link.
pub(crate) const START_PAYLOAD: &str = "answer";

/// A waiting answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) key: ActionKey,
    pub(crate) content: Content,
    since: Millis,
}

/// The users for whom answers wait.
#[derive(Default)]
pub(crate) struct Waiting {
    users: Mutex<HashSet<i64>>,
    /// Held while answers are delivered: two messages of a user do not deliver them twice.
    pub(crate) delivering: tokio::sync::Mutex<()>,
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

    pub(crate) fn has(&self, user: i64) -> bool {
        self.users.lock().unwrap_or_else(PoisonError::into_inner).contains(&user)
    }

    pub(crate) fn set(&self, user: i64, waits: bool) {
        let mut known = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        if waits {
            known.insert(user)
        } else {
            known.remove(&user)
        };
    }
}

/// Reads the answers that wait for a user, oldest first.
fn read(snapshot: &Snapshot, bot: &BotName, user: i64) -> palabre_store::Result<Vec<Answer>> {
    let prefix = (bot.to_string(), user.unsigned_abs());
    let mut answers = Vec::new();
    for row in WAITING.scan(snapshot, &prefix, Direction::Forward)? {
        answers.push(row?.1);
    }
    answers.sort_by_key(|answer| answer.since);
    Ok(answers)
}

/// Adds to `rows` that an answer waits in addition to `others`, of which the oldest may be dropped.
fn add(rows: &mut Batch, bot: &BotName, user: i64, answer: &Answer, others: &[Answer]) {
    let surplus = (others.len() + 1).saturating_sub(WAITING_MAX);
    for other in others.iter().take(surplus) {
        remove(rows, bot, user, &other.key);
    }
    WAITING.put_until(rows, &row_key(bot, user, &answer.key), answer, Some(answer.since + WAITING_LIFETIME));
}

/// Adds to `rows` that an answer no longer waits.
fn remove(rows: &mut Batch, bot: &BotName, user: i64, key: &ActionKey) {
    WAITING.delete(rows, &row_key(bot, user, key));
}

fn row_key(bot: &BotName, user: i64, key: &ActionKey) -> (String, u64, String) {
    (bot.to_string(), user.unsigned_abs(), key.to_string())
}
