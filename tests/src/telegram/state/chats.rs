//! The chats: creation, and their forms in messages and answers.

use serde_json::{Value, json};

use crate::json::merge;
use crate::telegram::chat::Chat;
use crate::telegram::counters::Counters;
use crate::telegram::kind::Kind;
use crate::telegram::member::{Member, PERMISSIONS, Status, rights_in};
use crate::telegram::state::State;

impl State {
    /// Creates the users and chats that every stand-in begins with.
    pub(in crate::telegram) fn create_defaults(&mut self) {
        self.bot = self.create_user("palabre_bot", true);
        let people = ["olivia", "alice", "bob"].map(|name| self.create_user(name, false));
        self.create_chat(Kind::Supergroup, "Village", &people);
        let group = self.create_chat(Kind::Group, "Hamlet", &people);
        let bot = self.bot;
        self.place(group).members.insert(bot, Member::new(Status::Member));
        let forum = self.create_chat(Kind::Supergroup, "Forum", &people);
        self.place(forum).is_forum = true;
        self.open_topic(forum, "General", people[0]);
        self.open_topic(forum, "ideas", people[0]);
        let channel = self.create_chat(Kind::Channel, "News", &people);
        self.place(channel).username = Some("palabre_news".to_owned());
        // Updates from before the bot started.
        self.drop_pending();
        self.counters = Counters::default();
    }

    /// Creates a chat whose first member owns it, with the bot as an administrator with all rights.
    pub(in crate::telegram) fn create_chat(&mut self, kind: Kind, title: &str, people: &[i64]) -> i64 {
        let number = self.chats.len() as i64;
        let id = match kind {
            Kind::Private => people[0],
            Kind::Group => -4_000_001 - number,
            Kind::Supergroup | Kind::Channel => -1_001_234_567_890 - number,
        };
        let mut chat = Chat::new(kind, title);
        if kind == Kind::Private {
            chat.members.insert(self.bot, Member::new(Status::Member));
        } else {
            let role = |index| if index == 0 { Status::Creator } else { Status::Member };
            chat.members = people.iter().enumerate().map(|(index, id)| (*id, Member::new(role(index)))).collect();
            let bot =
                Member { promoted_by: people.first().copied(), ..Member::new(Status::Administrator(rights_in(kind))) };
            chat.members.insert(self.bot, bot);
        }
        self.chats.insert(id, chat);
        id
    }

    /// Returns the private chat with a user, and creates it if needed.
    pub(in crate::telegram) fn private_chat(&mut self, user: i64) -> i64 {
        if self.chats.contains_key(&user) { user } else { self.create_chat(Kind::Private, "", &[user]) }
    }

    /// Returns a chat that must exist.
    pub(in crate::telegram) fn place(&mut self, chat: i64) -> &mut Chat {
        self.chats.get_mut(&chat).expect("the chat was found before")
    }

    /// A chat as messages contain it.
    pub(in crate::telegram) fn chat_frame(&self, id: i64) -> Value {
        let chat = &self.chats[&id];
        if chat.kind == Kind::Private {
            let user = self.user_frame(id);
            let mut frame = json!({ "id": id, "type": "private" });
            for name in ["first_name", "last_name", "username"].iter().filter(|name| user[**name].is_string()) {
                frame[*name] = user[*name].clone();
            }
            return frame;
        }
        let mut frame = json!({ "id": id, "type": chat.kind.name(), "title": chat.title });
        if let Some(username) = &chat.username {
            frame["username"] = json!(username);
        }
        if chat.is_forum {
            frame["is_forum"] = json!(true);
        }
        frame
    }

    /// A chat as `getChat` returns it.
    pub(in crate::telegram) fn full_frame(&self, id: i64) -> Value {
        let chat = &self.chats[&id];
        let mut frame = self.chat_frame(id);
        let gifts = ["unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"];
        let gifts: Value = gifts.iter().map(|gift| ((*gift).to_owned(), json!(false))).collect();
        let more = json!({ "accent_color_id": 3, "max_reaction_count": 11, "accepted_gift_types": gifts });
        merge(&mut frame, more);
        if matches!(chat.kind, Kind::Group | Kind::Supergroup) {
            frame["permissions"] = self.permissions_frame(id);
        }
        if !chat.description.is_empty() {
            frame["description"] = json!(chat.description);
        }
        if let Some(link) = chat.invites.iter().find(|link| link["is_primary"] == true) {
            frame["invite_link"] = link["invite_link"].clone();
        }
        if let Some(pinned) = chat.pinned.last().and_then(|id| chat.messages.get(id)) {
            frame["pinned_message"] = pinned.clone();
        }
        frame
    }

    pub(in crate::telegram) fn permissions_frame(&self, id: i64) -> Value {
        let granted = &self.chats[&id].permissions;
        PERMISSIONS.iter().map(|one| ((*one).to_owned(), json!(granted.contains(*one)))).collect()
    }
}
