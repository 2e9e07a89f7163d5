//! Chats and topics: test set-up, and changes during a test.

use serde_json::json;

use crate::telegram::kind::Kind;
use crate::telegram::stand_in::StandIn;
use crate::telegram::state::State;

impl StandIn {
    /// Creates a supergroup of olivia, alice and bob with the bot as an administrator, without updates.
    pub fn add_supergroup(&self, title: &str) -> i64 {
        self.add_chat(Kind::Supergroup, title)
    }

    /// Creates a group of olivia, alice and bob with the bot as an administrator, without updates.
    pub fn add_group(&self, title: &str) -> i64 {
        self.add_chat(Kind::Group, title)
    }

    /// Creates a forum of olivia, alice and bob with the bot as an administrator, without updates.
    ///
    /// It has its general topic.
    pub fn add_forum(&self, title: &str) -> i64 {
        let chat = self.add_chat(Kind::Supergroup, title);
        self.change(|state| {
            let by = state.who("olivia");
            state.place(chat).is_forum = true;
            state.open_topic(chat, "General", by);
        });
        chat
    }

    /// Creates a channel of olivia, alice and bob with the bot as an administrator, without updates.
    pub fn add_channel(&self, title: &str) -> i64 {
        self.add_chat(Kind::Channel, title)
    }

    fn add_chat(&self, kind: Kind, title: &str) -> i64 {
        self.change(|state| {
            let people = ["olivia", "alice", "bob"].map(|name| state.who(name));
            state.create_chat(kind, title, &people)
        })
    }

    /// Changes the language of a user: `es`.
    pub fn speaks(&self, who: &str, language: &str) {
        self.change(|state| {
            let user = state.who(who);
            language.clone_into(&mut state.users.get_mut(&user).expect("they were found before").language);
        });
    }

    /// Changes the names of a user, who may have no username. Tests still use the same name.
    pub fn renames(&self, who: &str, first_name: &str, last_name: Option<&str>, username: Option<&str>) {
        self.change(|state| {
            let user = state.who(who);
            let user = state.users.get_mut(&user).expect("they were found before");
            first_name.clone_into(&mut user.first_name);
            user.last_name = last_name.map(ToOwned::to_owned);
            user.username = username.map(ToOwned::to_owned);
        });
    }

    /// Returns the commands that a user sees in a chat.
    #[must_use]
    pub fn sees_commands(&self, who: &str, chat: &str) -> Vec<String> {
        let mut state = self.shared.lock();
        let (user, chat) = (state.who(who), state.somewhere(chat).0);
        let seen = state.commands_seen(user, chat);
        seen.iter().map(|one| one["command"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Sets the public name of a chat, `@village`.
    pub fn names(&self, chat: &str, username: &str) {
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            state.place(chat).username = Some(username.to_owned());
        });
    }

    /// Changes the title of a chat.
    pub fn retitles(&self, who: &str, chat: &str, title: &str) {
        self.change(|state| {
            let (by, chat) = (state.who(who), state.somewhere(chat).0);
            title.clone_into(&mut state.place(chat).title);
            state.post_service(chat, by, None, json!({ "new_chat_title": title }));
        });
    }

    /// Upgrades a group to a supergroup and returns its id.
    pub fn migrates(&self, chat: &str) -> i64 {
        self.change(|state| {
            let chat = state.somewhere(chat).0;
            assert!(state.chats[&chat].kind == Kind::Group, "only a group becomes a supergroup");
            let by = state.who("olivia");
            state.migrate(chat, by)
        })
    }

    /// Opens a topic in a forum and returns its id.
    pub fn opens_topic(&self, who: &str, forum: &str, name: &str) -> i64 {
        self.change(|state| {
            let (by, forum) = (state.who(who), state.somewhere(forum).0);
            assert!(state.chats[&forum].is_forum, "only a forum has topics");
            state.open_topic(forum, name, by)
        })
    }

    /// Renames a topic, `Forum/ideas`.
    pub fn renames_topic(&self, who: &str, topic: &str, name: &str) {
        self.on_topic(topic, |state, chat, id| {
            let by = state.who(who);
            state.change_topic(chat, id, by, "forum_topic_edited", json!({ "name": name }), |topic| {
                name.clone_into(&mut topic.name);
            });
        });
    }

    /// Closes a topic, `Forum/ideas`.
    pub fn closes_topic(&self, who: &str, topic: &str) {
        self.on_topic(topic, |state, chat, id| {
            let by = state.who(who);
            state.change_topic(chat, id, by, "forum_topic_closed", json!({}), |topic| topic.is_closed = true);
        });
    }

    /// Reopens a topic.
    pub fn reopens_topic(&self, who: &str, topic: &str) {
        self.on_topic(topic, |state, chat, id| {
            let by = state.who(who);
            state.change_topic(chat, id, by, "forum_topic_reopened", json!({}), |topic| topic.is_closed = false);
        });
    }

    fn on_topic(&self, topic: &str, act: impl FnOnce(&mut State, i64, i64)) {
        self.change(|state| {
            let (chat, thread) = state.somewhere(topic);
            act(state, chat, thread.unwrap_or_else(|| panic!("{topic} names no topic")));
        });
    }
}
