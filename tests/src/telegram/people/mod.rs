//! Actions of users, so that tests read like a chat.

mod buttons;
mod chat;
mod home;
mod inline;
mod members;
mod reacting;

use super::kind::Kind;
use super::post::MessageRef;
use super::stand_in::StandIn;
use super::state::State;

impl StandIn {
    /// Returns the id of the user with this name, who is created if needed.
    pub fn person(&self, name: &str) -> i64 {
        self.change(|state| state.names.get(name).copied().unwrap_or_else(|| state.create_user(name, false)))
    }

    /// Returns the id of a user.
    ///
    /// # Panics
    /// If no user has this name.
    #[must_use]
    pub fn user(&self, name: &str) -> i64 {
        self.shared.lock().who(name)
    }

    /// Returns the id of a chat by title; `@name` is the private chat with a user.
    ///
    /// # Panics
    /// If there is no chat of this name.
    #[must_use]
    pub fn chat(&self, name: &str) -> i64 {
        self.shared.lock().somewhere(name).0
    }

    /// Returns the id of a topic, named as `Forum/ideas`.
    ///
    /// # Panics
    /// If there is no chat of this name.
    #[must_use]
    pub fn topic(&self, name: &str) -> i64 {
        let thread = self.shared.lock().somewhere(name).1;
        thread.unwrap_or_else(|| panic!("{name} names no topic"))
    }
}

impl State {
    /// Returns the id of a user by name or id.
    pub(super) fn who(&self, name: &str) -> i64 {
        let by_id = || name.parse().ok().filter(|id| self.users.contains_key(id));
        self.names.get(name).copied().or_else(by_id).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    /// Returns a chat, and the topic in it if one is named.
    pub(super) fn somewhere(&mut self, name: &str) -> (i64, Option<i64>) {
        if let Some(person) = name.strip_prefix('@') {
            let user = self.who(person);
            return (self.private_chat(user), None);
        }
        let (title, topic) = name.split_once('/').map_or((name, None), |(title, topic)| (title, Some(topic)));
        let by_id = title.parse().ok().filter(|id| self.chats.contains_key(id));
        // An upgraded group has the same title as its supergroup.
        let mut titled = self.chats.iter().filter(|(_, chat)| chat.title == title && chat.kind != Kind::Private);
        let by_title = || titled.find(|(_, chat)| chat.migrated_to.is_none()).map(|(id, _)| *id);
        let chat = by_id.or_else(by_title).unwrap_or_else(|| panic!("no chat is called {title}"));
        let thread = topic.map(|topic| {
            let mut topics = self.chats[&chat].topics.iter();
            let found = topics.find(|(id, one)| one.name == topic || id.to_string() == topic);
            found.map(|(id, _)| *id).unwrap_or_else(|| panic!("{title} has no topic {topic}"))
        });
        (chat, thread)
    }

    /// Returns a message that must exist.
    fn known(&self, message: MessageRef) -> serde_json::Value {
        self.message(message.chat, message.id).cloned().unwrap_or_else(|| panic!("there is no message {message}"))
    }
}
