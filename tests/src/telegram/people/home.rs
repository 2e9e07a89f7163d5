//! Chats and topics: test set-up, and changes during a test.

use serde_json::json;

use crate::telegram::StandIn;
use crate::telegram::chat::Kind;
use crate::telegram::world::World;

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
        self.change(|world| {
            let by = world.who("olivia");
            world.place(chat).is_forum = true;
            world.open_topic(chat, "General", by);
        });
        chat
    }

    /// Creates a channel of olivia, alice and bob with the bot as an administrator, without updates.
    pub fn add_channel(&self, title: &str) -> i64 {
        self.add_chat(Kind::Channel, title)
    }

    fn add_chat(&self, kind: Kind, title: &str) -> i64 {
        self.change(|world| {
            let people = ["olivia", "alice", "bob"].map(|name| world.who(name));
            world.found_chat(kind, title, &people)
        })
    }

    /// Changes the language of a user: `es`.
    pub fn speaks(&self, who: &str, language: &str) {
        self.change(|world| {
            let user = world.who(who);
            language.clone_into(&mut world.users.get_mut(&user).expect("they were found before").language);
        });
    }

    /// Changes the names of a user, who may have no username. Tests still use the same name.
    pub fn renames(&self, who: &str, first_name: &str, last_name: Option<&str>, username: Option<&str>) {
        self.change(|world| {
            let user = world.who(who);
            let user = world.users.get_mut(&user).expect("they were found before");
            first_name.clone_into(&mut user.first_name);
            user.last_name = last_name.map(ToOwned::to_owned);
            user.username = username.map(ToOwned::to_owned);
        });
    }

    /// Returns the commands that a user sees in a chat.
    #[must_use]
    pub fn sees_commands(&self, who: &str, chat: &str) -> Vec<String> {
        let mut world = self.shared.lock();
        let (user, chat) = (world.who(who), world.somewhere(chat).0);
        let seen = world.commands_seen(user, chat);
        seen.iter().map(|one| one["command"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Sets the public name of a chat, `@village`.
    pub fn names(&self, chat: &str, username: &str) {
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            world.place(chat).username = Some(username.to_owned());
        });
    }

    /// Changes the title of a chat.
    pub fn retitles(&self, who: &str, chat: &str, title: &str) {
        self.change(|world| {
            let (by, chat) = (world.who(who), world.somewhere(chat).0);
            title.clone_into(&mut world.place(chat).title);
            world.note(chat, by, None, json!({ "new_chat_title": title }));
        });
    }

    /// Upgrades a group to a supergroup and returns its id.
    pub fn migrates(&self, chat: &str) -> i64 {
        self.change(|world| {
            let chat = world.somewhere(chat).0;
            assert!(world.chats[&chat].kind == Kind::Group, "only a group becomes a supergroup");
            let by = world.who("olivia");
            world.migrate(chat, by)
        })
    }

    /// Opens a topic in a forum and returns its id.
    pub fn opens_topic(&self, who: &str, forum: &str, name: &str) -> i64 {
        self.change(|world| {
            let (by, forum) = (world.who(who), world.somewhere(forum).0);
            assert!(world.chats[&forum].is_forum, "only a forum has topics");
            world.open_topic(forum, name, by)
        })
    }

    /// Renames a topic, `Forum/ideas`.
    pub fn renames_topic(&self, who: &str, topic: &str, name: &str) {
        self.on_topic(topic, |world, chat, id| {
            let by = world.who(who);
            world.change_topic(chat, id, by, "forum_topic_edited", json!({ "name": name }), |topic| {
                name.clone_into(&mut topic.name);
            });
        });
    }

    /// Closes a topic, `Forum/ideas`.
    pub fn closes_topic(&self, who: &str, topic: &str) {
        self.on_topic(topic, |world, chat, id| {
            let by = world.who(who);
            world.change_topic(chat, id, by, "forum_topic_closed", json!({}), |topic| topic.is_closed = true);
        });
    }

    /// Reopens a topic.
    pub fn reopens_topic(&self, who: &str, topic: &str) {
        self.on_topic(topic, |world, chat, id| {
            let by = world.who(who);
            world.change_topic(chat, id, by, "forum_topic_reopened", json!({}), |topic| topic.is_closed = false);
        });
    }

    fn on_topic(&self, topic: &str, act: impl FnOnce(&mut World, i64, i64)) {
        self.change(|world| {
            let (chat, thread) = world.somewhere(topic);
            act(world, chat, thread.unwrap_or_else(|| panic!("{topic} names no topic")));
        });
    }
}
