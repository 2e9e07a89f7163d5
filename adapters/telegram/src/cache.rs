//! The platform cache: chats, users and messages.
//!
//! Chats, users and the parts of messages are stored too, since Telegram tells a bot nothing twice.
//! Everything else is remembered as long as memory allows.

mod chat;
mod parts;
mod people;

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{
    ActionError, Batch, BotName, Event, Message, MessageId, Millis, Room, RoomId, RoomKind, Space, SpaceId, User,
    UserId,
};

use crate::frames;

pub(crate) use chat::{ChatKind, ChatRow};
pub(crate) use parts::{Composed, Parts};
pub(crate) use people::{ADMINISTRATOR, ANONYMOUS, People, member};

/// Chats by bot and id.
const CHATS: Table<(String, String), ChatRow> = Table::new(TableId::TelegramChats);
/// Number of messages whose content is remembered, to report it when they are edited.
const MESSAGES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Separates the number of a message from its chat, in ids that contain both.
const CHAT_SEPARATOR: char = '@';
/// Number of chats whose recent messages are remembered.
const RECENT_CHATS_MAX: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// Number of recent messages per chat, which can be purged.
const RECENT_MAX: usize = 1_000;

/// The platform cache of one bot.
pub(crate) struct PlatformCache {
    bot: BotName,
    state: Mutex<CacheState>,
}

/// The contents of the cache, with the lock held.
pub(crate) struct CacheState {
    /// The bot's own id; 0 until it is known.
    pub(crate) me: i64,
    /// The bot's username, without `@`.
    pub(crate) username: String,
    pub(crate) chats: HashMap<i64, ChatRow>,
    pub(crate) people: People,
    pub(crate) messages: LruCache<(i64, i64), Arc<Message>>,
    /// The messages that have several parts.
    pub(crate) composed: Composed,
    /// Recent messages of each chat, oldest first.
    recent: LruCache<i64, VecDeque<Recent>>,
}

/// A recent message, which can be purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recent {
    pub(crate) id: i64,
    pub(crate) topic: Option<i64>,
    pub(crate) user: i64,
    pub(crate) time: Millis,
}

impl PlatformCache {
    pub(crate) fn new(bot: &BotName) -> Self {
        let state = CacheState {
            me: 0,
            username: String::new(),
            chats: HashMap::new(),
            people: People::default(),
            messages: LruCache::new(MESSAGES_MAX),
            composed: Composed::default(),
            recent: LruCache::new(RECENT_CHATS_MAX),
        };
        Self { bot: bot.clone(), state: Mutex::new(state) }
    }

    /// Loads the state that the last process stored.
    pub(crate) fn load(&self, snapshot: &Snapshot) -> palabre_store::Result<()> {
        for row in CHATS.scan(snapshot, &self.bot.to_string(), Direction::Forward)? {
            let ((bot, id), chat) = row?;
            if bot == self.bot.as_str()
                && let Ok(id) = id.parse()
            {
                self.lock().chats.insert(id, chat);
            }
        }
        // Read before the cache is locked, so that nobody waits for the store.
        let (parts, users) = (parts::read(snapshot, &self.bot)?, people::seen::read(snapshot, &self.bot)?);
        let mut state = self.lock();
        for (chat, head, parts) in parts {
            state.composed.remember(chat, head, parts);
        }
        state.people.restore(&self.bot, users);
        Ok(())
    }

    /// Adds the row of a chat to `rows`.
    pub(crate) fn keep(&self, rows: &mut Batch, chat: i64) {
        let state = self.lock();
        if let Some(row) = state.chats.get(&chat) {
            CHATS.put(rows, &(self.bot.to_string(), chat.to_string()), row);
        }
    }

    /// Adds the parts of a message to `rows`, if it has several.
    pub(crate) fn keep_parts(&self, rows: &mut Batch, chat: i64, head: i64, now: Millis) {
        self.lock().composed.keep(rows, &self.bot, (chat, head), now);
    }

    /// Forgets the parts of a deleted message, and adds that to `rows`.
    pub(crate) fn drop_parts(&self, rows: &mut Batch, chat: i64, id: i64) {
        self.lock().composed.drop_parts(rows, &self.bot, chat, id);
    }

    /// Adds new and changed users to `rows`, and deletes those that were evicted.
    pub(crate) fn keep_people(&self, rows: &mut Batch, now: Millis) {
        self.lock().people.keep(rows, &self.bot, now);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, CacheState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bot(&self) -> &BotName {
        &self.bot
    }

    /// Remembers a user, and returns them in the form of events.
    pub(crate) fn saw(&self, frame: &frames::User) -> User {
        let user = User {
            id: self.user_id(frame.id),
            name: frame.named(),
            bot: frame.is_bot,
            locale: frame.language_code.clone(),
            picture: None,
        };
        self.lock().people.saw(frame.id, &user, frame.username.as_deref());
        user
    }

    pub(crate) fn user_id(&self, id: i64) -> UserId {
        UserId::new(&self.bot, &id.to_string())
    }

    /// Returns the room id of a chat: the chat's first id, also after it became a supergroup.
    pub(crate) fn room_id(&self, chat: i64, topic: Option<i64>) -> RoomId {
        let chat = self.lock().first_id(chat);
        match topic {
            Some(topic) => RoomId::new(&self.bot, &format!("{chat}:{topic}")),
            None => RoomId::new(&self.bot, &chat.to_string()),
        }
    }

    /// Returns the chat and topic of a room, with Telegram's current ids.
    pub(crate) fn place(&self, native: &str) -> Option<(i64, Option<i64>)> {
        let (chat, topic) = named_place(native)?;
        Some((self.lock().now_id(chat), topic))
    }

    /// Returns the chat and the number of the message that an id names in a room.
    ///
    /// A group and the supergroup that it became are one room, and each numbers its messages from
    /// 1. An earlier id is one of the old chat, in which nothing can be done any more.
    pub(crate) fn message(&self, room: &str, id: &str) -> Result<(i64, i64), ActionError> {
        let unknown = || ActionError::NotFound(format!("\"{id}\" is not a message on Telegram"));
        let (chat, _) = named_place(room).ok_or_else(unknown)?;
        let (number, of) = match id.split_once(CHAT_SEPARATOR) {
            Some((number, of)) => (number, of.parse::<i64>().ok().ok_or_else(unknown)?),
            None => (id, chat),
        };
        let number = number.parse::<i64>().ok().ok_or_else(unknown)?;
        if self.lock().now_id(chat) != of {
            return Err(ActionError::Rejected(format!(
                "message {number} is from before the group became a supergroup, and Telegram has closed the old chat"
            )));
        }
        Ok((of, number))
    }

    /// Returns the chat of an event.
    pub(crate) fn chat_of_event(&self, event: &Event) -> Option<i64> {
        Some(self.place(event.room.as_ref()?.id.native())?.0)
    }

    /// Returns a chat, or a topic of it, as a room.
    pub(crate) fn room(&self, chat: i64, topic: Option<i64>) -> Room {
        let id = self.room_id(chat, topic);
        let state = self.lock();
        let Some(row) = state.chats.get(&chat) else { return Room::channel(id.clone(), id.native()) };
        let of_topic = topic.and_then(|topic| row.topics.get(&topic));
        let kind = if row.kind == ChatKind::Private { RoomKind::Direct } else { RoomKind::Channel };
        let name = of_topic.unwrap_or(&row.title).clone();
        Room { id, name, kind, topic: None, locale: None }
    }

    /// Returns a chat as a space; private chats have none.
    pub(crate) fn space(&self, chat: i64) -> Option<Space> {
        let state = self.lock();
        let row = state.chats.get(&chat).filter(|row| row.kind != ChatKind::Private)?;
        let id = SpaceId::new(&self.bot, &state.first_id(chat).to_string());
        Some(Space { id, name: row.title.clone() })
    }
}

/// Parses the chat and the topic in the id of a room.
fn named_place(native: &str) -> Option<(i64, Option<i64>)> {
    match native.split_once(':') {
        Some((chat, topic)) => Some((chat.parse().ok()?, Some(topic.parse().ok()?))),
        None => Some((native.parse().ok()?, None)),
    }
}

impl CacheState {
    /// Returns the id of a message: its number, and its chat if the room has the id of another one.
    pub(crate) fn message_id(&self, chat: i64, number: i64) -> MessageId {
        if self.first_id(chat) == chat {
            number.to_string().into()
        } else {
            format!("{number}{CHAT_SEPARATOR}{chat}").into()
        }
    }

    /// Returns the id of the message that a part belongs to.
    pub(crate) fn id_of(&self, chat: i64, part: i64) -> MessageId {
        self.message_id(chat, self.composed.head_of(chat, part))
    }

    /// Returns the first id of a chat.
    pub(crate) fn first_id(&self, chat: i64) -> i64 {
        self.chats.get(&chat).and_then(|row| row.was).unwrap_or(chat)
    }

    /// Returns the current id of a chat.
    pub(crate) fn now_id(&self, chat: i64) -> i64 {
        self.chats.get(&chat).and_then(|row| row.moved_to).unwrap_or(chat)
    }

    /// Records that a group has become a supergroup. Returns true if that is new.
    pub(crate) fn moved(&mut self, from: i64, to: i64) -> bool {
        let first = self.first_id(from);
        let old = self.chats.entry(from).or_default();
        let is_news = old.moved_to != Some(to);
        old.moved_to = Some(to);
        let (title, before_lock) = (old.title.clone(), old.before_lock.take());
        let new = self.chats.entry(to).or_default();
        new.was = Some(first);
        new.kind = ChatKind::Supergroup;
        if new.title.is_empty() {
            new.title = title;
        }
        // The permissions from before a lock move with the chat.
        new.before_lock = new.before_lock.take().or(before_lock);
        if first != from {
            self.chats.entry(first).or_default().moved_to = Some(to);
        }
        is_news
    }

    /// Returns the parts of a message: several if it is long, or an album.
    pub(crate) fn parts_of(&self, chat: i64, id: i64) -> Vec<i64> {
        self.composed.parts_of(chat, id).ids
    }

    /// Returns the topic of a message, if it is remembered.
    pub(crate) fn topic_of(&self, chat: i64, message: i64) -> Option<i64> {
        let recent = self.recent.peek(&chat)?;
        recent.iter().rev().find(|one| one.id == message)?.topic
    }

    /// Whether a message is remembered.
    pub(crate) fn is_remembered(&self, chat: i64, message: i64) -> bool {
        let recent = self.recent.peek(&chat);
        recent.is_some_and(|recent| recent.binary_search_by_key(&message, |one| one.id).is_ok())
    }

    /// Remembers a message, so that it can be purged.
    pub(crate) fn remember(&mut self, chat: i64, message: Recent) {
        let recent = self.recent.get_or_insert_mut(chat, VecDeque::new);
        // The bot's own messages are known at once, earlier ones of others only when their update
        // arrives.
        let Err(place) = recent.binary_search_by_key(&message.id, |one| one.id) else { return };
        recent.insert(place, message);
        if recent.len() > RECENT_MAX {
            recent.pop_front();
        }
    }

    /// Returns matching recent messages of a chat, newest first; `None` if the chat is not known.
    pub(crate) fn recent(&mut self, chat: i64, max: usize, fits: impl Fn(&Recent) -> bool) -> Option<Vec<i64>> {
        self.chats.get(&chat)?;
        let recent = self.recent.get(&chat).into_iter().flatten().rev();
        Some(recent.filter(|one| fits(one)).take(max).map(|one| one.id).collect())
    }

    /// Forgets messages that were deleted.
    pub(crate) fn forget(&mut self, chat: i64, gone: &[i64]) {
        if let Some(recent) = self.recent.get_mut(&chat) {
            recent.retain(|one| !gone.contains(&one.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_arrive_late_are_put_in_order() {
        let cache = PlatformCache::new(&"bot".into());
        let mut state = cache.lock();
        state.chats.entry(-7).or_default();
        for id in [1, 4, 2, 4, 3] {
            state.remember(-7, Recent { id, topic: None, user: 5, time: 0 });
        }
        assert_eq!(state.recent(-7, 3, |_| true), Some(vec![4, 3, 2]));
        assert!(state.is_remembered(-7, 2) && !state.is_remembered(-7, 5));
        assert_eq!(state.recent(-8, 3, |_| true), None);
    }

    #[test]
    fn an_id_from_before_a_group_became_a_supergroup_is_recognised() {
        let cache = PlatformCache::new(&"bot".into());
        let (old, new) = (-4_000_001, -1_001_234_567_890);
        let (room, of_new) = (old.to_string(), new.to_string());
        let before = cache.lock().message_id(old, 57);
        assert_eq!((before.as_str(), cache.message(&room, "57")), ("57", Ok((old, 57))));
        assert!(cache.lock().moved(old, new));
        assert!(!cache.lock().moved(old, new), "the second report is not new");
        let after = cache.lock().message_id(new, 57);
        assert_eq!(after.as_str(), "57@-1001234567890");
        assert_eq!(cache.message(&room, after.as_str()), Ok((new, 57)));
        assert!(matches!(cache.message(&room, before.as_str()), Err(ActionError::Rejected(_))));
        // If the supergroup is known by its own id, its messages go by their numbers.
        assert_eq!(cache.message(&of_new, "57"), Ok((new, 57)));
        assert!(matches!(cache.message(&room, "no number"), Err(ActionError::NotFound(_))));
        assert!(matches!(cache.message("no chat", "57"), Err(ActionError::NotFound(_))));
    }
}
