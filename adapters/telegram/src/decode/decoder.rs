//! The decoder: what updates of all kinds have in common.
//!
//! These are chats, users and members, and the events that are made of them.

use std::sync::Arc;

use palabre_types::{Bot, Event, EventKind, Member, Millis, Permission, User, UserId};

use crate::cache::{ADMINISTRATOR, ANONYMOUS, PlatformCache};
use crate::frames;

/// Converts updates into events, and updates the platform cache from them.
pub(crate) struct Decoder {
    pub(crate) bot: Bot,
    pub(crate) cache: Arc<PlatformCache>,
    /// Whether messages of other bots become events.
    pub(crate) hear_bots: bool,
}

/// The events of an update.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) events: Vec<Event>,
    /// The chats whose stored row has changed.
    pub(crate) changed: Vec<i64>,
}

/// The place and the user of an event.
#[derive(Default)]
pub(super) struct Scene {
    pub(super) chat: i64,
    pub(super) topic: Option<i64>,
    pub(super) user: Option<User>,
    pub(super) member: Option<Member>,
}

impl From<Event> for Decoded {
    fn from(event: Event) -> Self {
        Self { events: vec![event], changed: Vec::new() }
    }
}

impl Decoder {
    pub(crate) fn without_place(&self, kind: EventKind, now: Millis) -> Event {
        Event::without_place(self.bot.clone(), now, kind)
    }

    /// Returns an event of a place and a user.
    pub(super) fn event(&self, scene: Scene, kind: EventKind, now: Millis) -> Event {
        let is_somewhere = scene.chat != 0;
        Event {
            time: now,
            bot: self.bot.clone(),
            space: is_somewhere.then(|| self.cache.space(scene.chat)).flatten().map(Arc::new),
            room: is_somewhere.then(|| Arc::new(self.cache.room(scene.chat, scene.topic))),
            user: scene.user.map(Arc::new),
            member: scene.member.map(Arc::new),
            kind,
        }
    }

    pub(super) fn user_id(&self, id: i64) -> UserId {
        self.cache.user_id(id)
    }

    /// Remembers a user, and returns them in the form of events.
    pub(super) fn user(&self, frame: &frames::User) -> User {
        self.cache.saw(frame)
    }

    /// Returns a member of a group; `None` in private chats.
    pub(super) fn member(&self, chat: i64, user: i64) -> Option<Member> {
        let id = self.user_id(user);
        (chat < 0).then(|| self.cache.lock().people.member(chat, user, &id))
    }

    /// Returns the author of a message: a user, or the chat in whose name it was sent.
    pub(crate) fn author(&self, frame: &frames::Message) -> (User, i64) {
        match (&frame.sender_chat, &frame.from) {
            (Some(chat), _) => (self.as_user(chat), chat.id),
            (None, Some(from)) => (self.user(from), from.id),
            // A channel that does not name its authors.
            (None, None) => (self.as_user(&frame.chat), frame.chat.id),
        }
    }

    /// Returns a chat that sends messages, in the form of a user.
    pub(super) fn as_user(&self, chat: &frames::Chat) -> User {
        User { id: self.user_id(chat.id), name: chat.named(), bot: false, locale: None, picture: None }
    }

    /// Returns the place of a message, and its author as a member there.
    pub(super) fn scene(&self, frame: &frames::Message, user: User, id: i64) -> Scene {
        let chat = frame.chat.id;
        let topic = frame.message_thread_id.filter(|_| frame.is_topic_message);
        self.cache.lock().people.seen_with_tag(chat, id, &user.id, frame.sender_tag.as_deref());
        let mut member = self.member(chat, id);
        // Only administrators can write in the name of the group itself.
        if id == chat || id == ANONYMOUS {
            member = member.map(|member| Member {
                permission: Some(Permission::Moderator),
                roles: vec![ADMINISTRATOR.to_owned()],
                ..member
            });
        }
        Scene { chat, topic, user: Some(user), member }
    }

    /// Updates the cached chat from a message. Returns the chats whose row has changed.
    pub(super) fn cache_chat_of(&self, frame: &frames::Message) -> Vec<i64> {
        let mut state = self.cache.lock();
        let row = state.chats.entry(frame.chat.id).or_default();
        let before = row.title.clone();
        let mut is_news = row.update(&frame.chat);
        is_news |= !std::mem::replace(&mut row.is_in, true);
        if before != row.title {
            row.title_before = before;
        }
        let begun = frame.reply_to_message.as_ref().and_then(|answered| answered.forum_topic_created.as_ref());
        if let (Some(topic), true, Some(name)) =
            (frame.message_thread_id, frame.is_topic_message, begun.and_then(|begun| begun.name.as_ref()))
        {
            is_news |= row.name_topic(topic, name);
        }
        if is_news { vec![frame.chat.id] } else { Vec::new() }
    }

    /// Updates the cached chat. Returns the chats whose row has changed.
    pub(super) fn cache_chat(&self, chat: &frames::Chat) -> Vec<i64> {
        let is_news = self.cache.lock().chats.entry(chat.id).or_default().update(chat);
        if is_news { vec![chat.id] } else { Vec::new() }
    }
}
