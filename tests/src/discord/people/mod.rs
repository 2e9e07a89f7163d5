//! Actions of users, so that tests read like a chat.

mod chat;
mod commands;
mod components;
mod home;
mod interacting;
mod moderation;

use serde_json::Value;

use super::id::Id;
use super::stand_in::StandIn;
use super::state::State;

impl StandIn {
    /// Returns the id of the user with this name, who is created if needed.
    pub fn person(&self, name: &str) -> Id {
        self.change(|state| state.user_named(name).unwrap_or_else(|| state.create_user(name, false)))
    }

    /// Returns the id of a user.
    ///
    /// # Panics
    /// If no user has this name.
    #[must_use]
    pub fn user(&self, name: &str) -> Id {
        self.shared.lock().who(name)
    }

    /// Returns the id of a channel by name, first in the default guild; `@name` is a direct channel.
    ///
    /// # Panics
    /// If there is no channel of this name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Id {
        self.shared.lock().place(self.guild, name)
    }

    /// Returns the id of a role.
    ///
    /// # Panics
    /// If the guild has none of this name.
    #[must_use]
    pub fn role(&self, name: &str) -> Id {
        self.shared.lock().role_named(self.guild, name)
    }

    /// Returns the id of a sticker.
    ///
    /// # Panics
    /// If the guild has none of this name.
    #[must_use]
    pub fn sticker(&self, name: &str) -> Id {
        let mut state = self.shared.lock();
        let found = state.guild_mut(self.guild).stickers.iter().find(|one| one["name"] == name);
        found.and_then(|one| Id::of(one, "id")).unwrap_or_else(|| panic!("no sticker is called {name}"))
    }
}

impl State {
    fn who(&self, name: &str) -> Id {
        let by_id = || name.parse().ok().filter(|id| self.users.contains_key(id));
        self.user_named(name).or_else(by_id).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    fn place(&mut self, guild: Id, name: &str) -> Id {
        if let Some(person) = name.strip_prefix('@') {
            let user = self.who(person);
            return self.direct_channel(user);
        }
        if let Some(id) = name.parse().ok().filter(|id| self.channels.contains_key(id)) {
            return id;
        }
        let named: Vec<&Value> = self.channels.values().filter(|channel| channel["name"] == name).collect();
        let here = named.iter().find(|channel| Id::of(channel, "guild_id") == Some(guild));
        let found = here.or(named.first()).and_then(|channel| Id::of(channel, "id"));
        found.unwrap_or_else(|| panic!("no channel is called {name}"))
    }

    fn role_named(&self, guild: Id, name: &str) -> Id {
        let found = self.guilds[&guild].roles.iter().find(|(_, role)| role["name"] == name);
        found.map(|(id, _)| *id).unwrap_or_else(|| panic!("no role is called {name}"))
    }

    /// Returns the channel of a message.
    fn channel_of(&self, message: Id) -> Id {
        let found = self.messages.iter().find(|(_, all)| all.contains_key(&message));
        found.map(|(channel, _)| *channel).unwrap_or_else(|| panic!("there is no message {message}"))
    }
}
