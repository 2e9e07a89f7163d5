//! Users who were seen, with their names.
//!
//! They are stored, since Telegram tells a bot only of users that it meets.

use std::collections::{BTreeSet, HashMap};

use lru::LruCache;
use palabre_model::{Batch, Millis, User};
use palabre_store::{Direction, Snapshot, Table, TableId};
use serde::{Deserialize, Serialize};
use tokio::time::{Duration, Instant};

use super::{PEOPLE_MAX, plain_member};
use crate::cache::PlatformCache;

/// Users by bot and id.
const PEOPLE: Table<(String, u64), Row> = Table::new(TableId::TelegramUsers);
/// Lifetime of a user who is not seen again, in milliseconds.
const PERSON_LIFETIME: Millis = 90 * 86_400_000;
/// Interval at which the row of a user is renewed.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(86_400);
/// Maximum number of groups that are stored of a user, the most recent ones.
const CHATS_MAX: usize = 20;

/// The stored row of a user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Row {
    name: String,
    username: Option<String>,
    bot: bool,
    locale: Option<String>,
    /// The groups in which the user was seen, the most recent last.
    chats: Vec<i64>,
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

impl PlatformCache {
    /// Loads the stored users.
    pub(in crate::cache) fn load_people(&self, snapshot: &Snapshot) -> palabre_store::Result<()> {
        let mut rows = Vec::new();
        for row in PEOPLE.scan(snapshot, &self.bot.to_string(), Direction::Forward)? {
            let ((bot, id), row) = row?;
            if let Some(id) = i64::try_from(id).ok().filter(|_| bot == self.bot.as_str()) {
                rows.push((id, row));
            }
        }
        // In this order, users who were seen last are evicted last.
        rows.sort_by_key(|(_, row)| row.seen);
        let mut state = self.lock();
        for (id, row) in rows {
            let user = User { id: self.user_id(id), name: row.name, bot: row.bot, locale: row.locale, picture: None };
            let people = &mut state.people;
            for chat in &row.chats {
                people.members.get_or_insert((*chat, id), || plain_member(&user.id));
            }
            people.seen.put(id, SeenUser { user, username: row.username, chats: row.chats, renewed: None });
        }
        Ok(())
    }

    /// Adds new and changed users to `rows`, and deletes those that were evicted.
    pub(crate) fn keep_people(&self, rows: &mut Batch, now: Millis) {
        let mut state = self.lock();
        let seen = &mut state.people.seen;
        let key = |id: i64| (self.bot.to_string(), id.unsigned_abs());
        for id in std::mem::take(&mut seen.evicted) {
            PEOPLE.delete(rows, &key(id));
        }
        for id in std::mem::take(&mut seen.unsaved) {
            let Some(SeenUser { user, username, chats, .. }) = seen.people.peek(&id) else { continue };
            let row = Row {
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
}

#[cfg(test)]
mod tests {
    use palabre_model::BotName;
    use palabre_store::Store;

    use super::*;

    fn user(cache: &PlatformCache, id: i64, name: &str) -> User {
        User { id: cache.user_id(id), name: name.to_owned(), bot: false, locale: None, picture: None }
    }

    fn named(cache: &PlatformCache, name: &str) -> Option<String> {
        cache.lock().people.named(Some(-7), name).map(|user| user.id.native().to_owned())
    }

    #[test]
    fn a_username_belongs_to_the_user_who_was_seen_with_it_last() {
        let cache = PlatformCache::new(&BotName::from("tg"));
        let (mallory, trent) = (user(&cache, 5, "Mallory"), user(&cache, 6, "Trent"));
        cache.lock().people.saw(5, &mallory, Some("Mallory"));
        assert_eq!(named(&cache, "mallory").as_deref(), Some("5"));
        cache.lock().people.saw(6, &trent, Some("mallory"));
        assert_eq!(named(&cache, "mallory").as_deref(), Some("6"));
        // A user is not found by a former username.
        cache.lock().people.saw(6, &trent, Some("trent"));
        assert_eq!((named(&cache, "mallory"), named(&cache, "TRENT").as_deref()), (None, Some("6")));
    }

    #[tokio::test]
    async fn seen_users_are_known_after_a_restart_until_they_expire() {
        let store = Store::in_memory().expect("an in-memory store");
        let bot = BotName::from("tg");
        let cache = PlatformCache::new(&bot);
        let mallory = user(&cache, 5, "Mallory M");
        {
            let mut state = cache.lock();
            state.people.saw(5, &mallory, Some("mallory"));
            state.people.seen_with_tag(-7, 5, &mallory.id, None);
        }
        let mut rows = Batch::default();
        cache.keep_people(&mut rows, 1_000);
        store.commit(rows).await.expect("the commit succeeds");
        let mut nothing = Batch::default();
        cache.lock().people.saw(5, &mallory, Some("mallory"));
        cache.keep_people(&mut nothing, 2_000);
        assert!(nothing.is_empty(), "an unchanged user is not written again");
        for (now, found) in [(3_000, Some("5")), (1_001 + PERSON_LIFETIME, None)] {
            let again = PlatformCache::new(&bot);
            again.load(&store.snapshot(now).expect("a snapshot")).expect("the load succeeds");
            assert_eq!((named(&again, "mallory").as_deref(), named(&again, "mallory m").as_deref()), (found, found));
        }
    }
}
