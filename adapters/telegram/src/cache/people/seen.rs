//! Users who were seen, with their names.
//!
//! They are stored, since Telegram tells a bot only of users that it meets.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName, Millis, User, UserId};
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

/// Number of users, and of memberships, that are remembered.
pub(super) const PEOPLE_MAX: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();
/// Users by bot and id.
const PEOPLE: Table<(String, u64), UserRow> = Table::new(TableId::TelegramUsers);
/// Lifetime of a user who is not seen again, in milliseconds.
pub(super) const PERSON_LIFETIME: Millis = 90 * 86_400_000;
/// Interval at which the row of a user is renewed.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(86_400);
/// Maximum number of groups that are stored of a user, the most recent ones.
const CHATS_MAX: usize = 20;

/// The stored row of a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::cache) struct UserRow {
    name: String,
    username: Option<String>,
    bot: bool,
    locale: Option<String>,
    /// The groups in which the user was seen, the most recent last.
    pub(super) chats: Vec<i64>,
    seen: Millis,
}

/// A user who was seen.
struct SeenUser {
    user: User,
    /// In lower case, without `@`.
    username: Option<String>,
    chats: Vec<i64>,
    /// The time at which the row was last renewed.
    renewed: Option<Instant>,
}

/// The users who were seen last.
pub(super) struct Seen {
    people: LruCache<i64, SeenUser>,
    by_username: HashMap<String, i64>,
    /// The users whose row is to be written, and those whose row is to be deleted.
    unsaved: BTreeSet<i64>,
    evicted: BTreeSet<i64>,
}

impl Default for Seen {
    fn default() -> Self {
        let people = LruCache::new(PEOPLE_MAX);
        Self { people, by_username: HashMap::new(), unsaved: BTreeSet::new(), evicted: BTreeSet::new() }
    }
}

impl Seen {
    /// Records that a user was seen, with their current username.
    pub(super) fn saw(&mut self, id: i64, user: &User, username: Option<&str>) {
        let username = username.filter(|name| !name.is_empty()).map(str::to_lowercase);
        let (mut user, mut chats, mut is_news) = (user.clone(), Vec::new(), true);
        if let Some(known) = self.people.get(&id) {
            // Not every update contains the user's language.
            user.locale = user.locale.or_else(|| known.user.locale.clone());
            is_news = known.user != user
                || known.username != username
                || known.renewed.is_none_or(|renewed| renewed.elapsed() > RENEWAL_INTERVAL);
            chats.clone_from(&known.chats);
        }
        if is_news {
            self.put(id, SeenUser { user, username, chats, renewed: Some(Instant::now()) });
            self.unsaved.insert(id);
        }
    }

    /// Records that a user is in a group.
    pub(super) fn is_in(&mut self, chat: i64, id: i64) {
        let Some(known) = self.people.get_mut(&id).filter(|known| chat < 0 && known.chats.last() != Some(&chat)) else {
            return;
        };
        let is_new = !known.chats.contains(&chat);
        known.chats.retain(|other| *other != chat);
        known.chats.push(chat);
        if known.chats.len() > CHATS_MAX {
            known.chats.remove(0);
        }
        if is_new {
            self.unsaved.insert(id);
        }
    }

    pub(super) fn user(&self, id: i64) -> Option<&User> {
        Some(&self.people.peek(&id)?.user)
    }

    /// Finds a user by username, in lower case.
    pub(super) fn with_username(&self, name: &str) -> Option<&User> {
        self.user(*self.by_username.get(name)?)
    }

    pub(super) fn users(&self) -> impl Iterator<Item = (i64, &User)> {
        self.people.iter().map(|(id, known)| (*id, &known.user))
    }

    /// Remembers a stored user.
    pub(super) fn restore(&mut self, id: i64, user_id: UserId, row: UserRow) {
        let user = User { id: user_id, name: row.name, bot: row.bot, locale: row.locale, picture: None };
        self.put(id, SeenUser { user, username: row.username, chats: row.chats, renewed: None });
    }

    /// Adds new and changed users to `rows`, and deletes those that were evicted.
    pub(super) fn keep(&mut self, rows: &mut Batch, bot: &BotName, now: Millis) {
        let key = |id: i64| (bot.to_string(), id.unsigned_abs());
        for id in std::mem::take(&mut self.evicted) {
            PEOPLE.delete(rows, &key(id));
        }
        for id in std::mem::take(&mut self.unsaved) {
            let Some(SeenUser { user, username, chats, .. }) = self.people.peek(&id) else { continue };
            let row = UserRow {
                name: user.name.clone(),
                username: username.clone(),
                bot: user.bot,
                locale: user.locale.clone(),
                chats: chats.clone(),
                seen: now,
            };
            PEOPLE.put_until(rows, &key(id), &row, Some(now + PERSON_LIFETIME));
        }
    }

    fn put(&mut self, id: i64, known: SeenUser) {
        if let Some(name) = &known.username
            && let Some(other) = self.by_username.insert(name.clone(), id)
            && other != id
            && let Some(other_known) = self.people.peek_mut(&other)
        {
            // A username has one owner: the user who was seen with it last.
            other_known.username = None;
            self.unsaved.insert(other);
        }
        let username = known.username.clone();
        let Some((before, left)) = self.people.push(id, known) else { return };
        if let Some(name) = left.username.filter(|name| before != id || username.as_ref() != Some(name))
            && self.by_username.get(&name) == Some(&before)
        {
            self.by_username.remove(&name);
        }
        if before != id {
            self.unsaved.remove(&before);
            self.evicted.insert(before);
        }
    }
}

/// Reads the stored users of a bot by id, those who were seen last at the end.
///
/// Restored in this order, they are evicted last.
pub(in crate::cache) fn read(snapshot: &Snapshot, bot: &BotName) -> palabre_store::Result<Vec<(i64, UserRow)>> {
    let mut rows = Vec::new();
    for row in PEOPLE.scan(snapshot, &bot.to_string(), Direction::Forward)? {
        let ((of, id), row) = row?;
        if let Some(id) = i64::try_from(id).ok().filter(|_| of == bot.as_str()) {
            rows.push((id, row));
        }
    }
    rows.sort_by_key(|(_, row)| row.seen);
    Ok(rows)
}
