//! Messages, edits, reactions, and the service messages by which Telegram reports other changes.

use std::sync::Arc;

use palabre_types::{EventKind, Message, Millis, Room};

use super::decoder::{Decoded, Decoder, Scene};
use crate::cache::{Parts, Recent};
use crate::frames::{self, Reaction};

impl Decoder {
    /// Returns the event of a message, which has several parts if it is an album.
    ///
    /// `None` for messages that have no event of their own.
    pub(crate) fn message(&self, parts: Vec<frames::Message>, now: Millis) -> Option<Decoded> {
        let first = parts.first()?;
        let mut changed = self.cache_chat_of(first);
        parts.iter().for_each(|part| self.remember(part));
        if parts.len() > 1 {
            let mut album = Parts { ids: Vec::new(), texts: vec![first.message_id], has_caption: true };
            parts.iter().for_each(|part| album.add(part.message_id));
            self.cache.lock().composed.remember(first.chat.id, first.message_id, album);
        }
        if let Some(decoded) = self.service_message(first, now) {
            let Decoded { events, changed: more } = decoded;
            changed.extend(more);
            return Some(Decoded { events, changed });
        }
        let is_own = first.from.as_ref().is_some_and(|from| from.id == self.cache.lock().me);
        // Telegram forwards a channel's posts to its discussion group. Where the bot is in both,
        // those are duplicates.
        let is_duplicate = first.is_automatic_forward
            && first.sender_chat.as_ref().is_some_and(|chat| self.cache.lock().chats.contains_key(&chat.id));
        if is_own || is_duplicate {
            return Some(Decoded { events: Vec::new(), changed });
        }
        let (user, id) = self.author(first);
        let content = self.content(&parts);
        if content.is_empty() && content.buttons.is_empty() {
            // A service message of a kind that is not known here.
            return None;
        }
        let message_id = self.cache.lock().message_id(first.chat.id, first.message_id);
        let message = Message {
            id: message_id,
            author: Some(user.id.clone()),
            time: first.time(),
            content,
            reply_to: self.answered(first),
        };
        self.cache.lock().messages.put((first.chat.id, first.message_id), Arc::new(message.clone()));
        if user.bot && !self.hear_bots {
            return Some(Decoded { events: Vec::new(), changed });
        }
        let scene = self.scene(first, user, id);
        let event = self.event(scene, EventKind::Message { message }, now);
        Some(Decoded { events: vec![event], changed })
    }

    pub(super) fn edited(&self, frame: &frames::Message, now: Millis) -> Decoded {
        let changed = self.cache_chat_of(frame);
        let (user, id) = self.author(frame);
        let is_own = frame.from.as_ref().is_some_and(|from| from.id == self.cache.lock().me);
        if is_own || (user.bot && !self.hear_bots) {
            return Decoded { events: Vec::new(), changed };
        }
        let chat = frame.chat.id;
        // An edit of one part of an album is an edit of the whole message.
        let of = self.cache.lock().composed.head_of(chat, frame.message_id);
        let before = self.cache.lock().messages.get(&(chat, of)).map(|message| Message::clone(message));
        let mut content = self.content(std::slice::from_ref(frame));
        if let Some(before) = before.as_ref().filter(|_| of != frame.message_id || self.has_several(chat, of)) {
            content.attachments.clone_from(&before.content.attachments);
            if of != frame.message_id {
                content.text.clone_from(&before.content.text);
            }
        }
        let message_id = self.cache.lock().message_id(chat, of);
        let message = Message {
            id: message_id,
            author: Some(user.id.clone()),
            time: frame.time(),
            content,
            reply_to: self.answered(frame),
        };
        self.cache.lock().messages.put((chat, of), Arc::new(message.clone()));
        if before.as_ref() == Some(&message) {
            // Nothing that scripts see has changed, such as when a link preview was added.
            return Decoded { events: Vec::new(), changed };
        }
        let scene = self.scene(frame, user, id);
        let event = self.event(scene, EventKind::MessageEdit { message, before, by: None }, now);
        Decoded { events: vec![event], changed }
    }

    pub(super) fn reacted(&self, frame: &frames::Reacted, now: Millis) -> Decoded {
        let (user, id) = match (&frame.user, &frame.actor_chat) {
            (Some(user), _) => (self.user(user), user.id),
            (None, Some(chat)) => (self.as_user(chat), chat.id),
            (None, None) => return Decoded::default(),
        };
        if id == self.cache.lock().me {
            return Decoded::default();
        }
        let chat = frame.chat.id;
        let of = self.cache.lock().composed.head_of(chat, frame.message_id);
        let id_of = self.cache.lock().message_id(chat, of);
        let scene = || {
            let topic = self.cache.lock().topic_of(chat, of);
            let member = self.member(chat, id);
            Scene { chat, topic, user: Some(user.clone()), member }
        };
        let event = |reaction: &Reaction, is_new: bool| {
            let (message, emoji) = (id_of.clone(), reaction.written());
            let kind = match is_new {
                true => EventKind::ReactionAdd { message, emoji },
                false => EventKind::ReactionRemove { message, emoji },
            };
            self.event(scene(), kind, now)
        };
        let gone =
            frame.old_reaction.iter().filter(|one| !frame.new_reaction.contains(one)).map(|one| event(one, false));
        let new = frame.new_reaction.iter().filter(|one| !frame.old_reaction.contains(one)).map(|one| event(one, true));
        Decoded { events: gone.chain(new).collect(), changed: Vec::new() }
    }

    /// Returns the events of a service message; `None` for a message that somebody wrote.
    fn service_message(&self, frame: &frames::Message, now: Millis) -> Option<Decoded> {
        let (user, id) = self.author(frame);
        let chat = frame.chat.id;
        let scene = || self.scene(frame, user.clone(), id);
        if !frame.new_chat_members.is_empty() || frame.left_chat_member.is_some() {
            return Some(self.joins_and_leaves(frame, (&user, id), now));
        }
        if let Some(pinned) = &frame.pinned_message {
            let message = self.cache.lock().id_of(chat, pinned.message_id);
            let kind = EventKind::Pin { message, pinned: true, by: Some(user.clone()) };
            return Some(self.event(scene(), kind, now).into());
        }
        if let Some(title) = &frame.new_chat_title {
            let before = Room { name: self.old_title(chat, title), ..self.cache.room(chat, None) };
            return Some(self.event(scene(), EventKind::RoomUpdate { before: Some(before) }, now).into());
        }
        if frame.group_chat_created || frame.supergroup_chat_created || frame.channel_chat_created {
            // A `my_chat_member` update reports that the bot is in the new chat.
            return Some(Decoded::default());
        }
        let moved = frame.migrate_to_chat_id.map(|to| (chat, to));
        if let Some((from, to)) = moved.or(frame.migrate_from_chat_id.map(|from| (from, chat))) {
            self.cache.lock().moved(from, to);
            return Some(Decoded { events: Vec::new(), changed: vec![from, to] });
        }
        let topic = frame.message_thread_id?;
        if let Some(created) = &frame.forum_topic_created {
            let name = created.name.clone().unwrap_or_default();
            self.cache.lock().chats.entry(chat).or_default().name_topic(topic, &name);
            let event = self.event(scene(), EventKind::RoomCreate, now);
            return Some(Decoded { events: vec![event], changed: vec![chat] });
        }
        if let Some(name) = frame.forum_topic_edited.as_ref().map(|edited| edited.name.clone()) {
            let before = self.cache.room(chat, Some(topic));
            if let Some(name) = name {
                self.cache.lock().chats.entry(chat).or_default().name_topic(topic, &name);
            }
            let event = self.event(scene(), EventKind::RoomUpdate { before: Some(before) }, now);
            return Some(Decoded { events: vec![event], changed: vec![chat] });
        }
        if frame.forum_topic_closed.is_some() || frame.forum_topic_reopened.is_some() {
            let before = self.cache.room(chat, Some(topic));
            return Some(self.event(scene(), EventKind::RoomUpdate { before: Some(before) }, now).into());
        }
        None
    }

    /// Returns the title that a chat had before `title`.
    fn old_title(&self, chat: i64, title: &str) -> String {
        let mut state = self.cache.lock();
        let row = state.chats.entry(chat).or_default();
        std::mem::replace(&mut row.title_before, title.to_owned())
    }

    /// Returns the message that is replied to.
    ///
    /// In a topic, Telegram presents all other messages as replies to the topic's first one; these
    /// are ignored.
    fn answered(&self, frame: &frames::Message) -> Option<palabre_types::MessageId> {
        let answered = frame.reply_to_message.as_ref()?;
        let is_beginning = frame.is_topic_message
            && (answered.forum_topic_created.is_some() || Some(answered.message_id) == frame.message_thread_id);
        (!is_beginning).then(|| self.cache.lock().id_of(frame.chat.id, answered.message_id))
    }

    /// Whether a remembered message has several parts.
    fn has_several(&self, chat: i64, id: i64) -> bool {
        self.cache.lock().composed.has_several(chat, id)
    }

    fn remember(&self, frame: &frames::Message) {
        let recent = Recent {
            id: frame.message_id,
            topic: frame.message_thread_id.filter(|_| frame.is_topic_message),
            user: self.author(frame).1,
            time: frame.time(),
        };
        self.cache.lock().remember(frame.chat.id, recent);
    }
}
