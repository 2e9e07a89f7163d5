//! Guilds, channels and roles: test set-up, and changes during a test.

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::intents::GUILDS;
use crate::discord::permissions::{Permission, bits};
use crate::discord::stand_in::StandIn;

impl StandIn {
    /// Adds the bot to another guild, which has an owner, alice and bob, and a channel `general`.
    pub fn add_guild(&self, name: &str) -> Id {
        let guild = self.change(|state| {
            let guild = state.create_guild(name);
            state.create_channel(guild, "general", 0, json!({}));
            for person in ["alice", "bob"] {
                let user = state.who(person);
                state.enter(guild, user);
            }
            guild
        });
        self.at(guild).guild_appears();
        guild
    }

    /// Sends `GUILD_CREATE`: the guild is available again, or new.
    pub fn guild_appears(&self) {
        self.change(|state| {
            let asks: Vec<(String, u64)> = state
                .sessions
                .iter()
                .filter(|(_, session)| session.covers(Some(self.guild)) && session.intents & GUILDS != 0)
                .map(|(id, session)| (id.clone(), session.intents))
                .collect();
            for (id, intents) in asks {
                let mut frame = state.guild_create_frame(self.guild, intents, 50);
                state.rough.roughen("", &mut frame);
                let frames_max = state.options.session_frames;
                if let Some(session) = state.sessions.get_mut(&id) {
                    session.push("GUILD_CREATE", &frame.to_string(), frames_max);
                }
            }
        });
    }

    /// Makes the guild unavailable.
    pub fn guild_fails(&self) {
        let data = json!({ "id": self.guild, "unavailable": true });
        self.change(|state| state.dispatch("GUILD_DELETE", Some(self.guild), data));
    }

    /// Removes the bot from the guild.
    pub fn throws_bot_out(&self) {
        self.change(|state| state.throw_bot_out(self.guild));
    }

    /// Creates a channel: 0 text, 2 voice, 4 category, 5 announcements, 15 forum.
    pub fn add_channel(&self, name: &str, kind: u64) -> Id {
        self.change(|state| {
            let channel = state.create_channel(self.guild, name, kind, json!({}));
            let frame = state.channels[&channel].clone();
            state.dispatch("CHANNEL_CREATE", Some(self.guild), frame);
            channel
        })
    }

    /// Deletes a channel or a thread.
    pub fn removes_channel(&self, channel: &str) {
        self.change(|state| {
            let channel = state.place(self.guild, channel);
            state.remove_channel(channel);
        });
    }

    /// Creates a role, below or above the bot's.
    pub fn add_role(&self, name: &str, permissions: &[Permission], above_bot: bool) -> Id {
        self.change(|state| {
            let (role, position) = (state.fresh_id(), if above_bot { 10 } else { 1 });
            let sum = permissions.iter().fold(0, |sum, one| sum | one.0);
            state.put_role(self.guild, role, name, position, sum);
            let data = json!({ "guild_id": self.guild, "role": state.guilds[&self.guild].roles[&role] });
            state.dispatch("GUILD_ROLE_CREATE", Some(self.guild), data);
            role
        })
    }

    /// Adds users `person0`, `person1`, … without events: for guilds that are large from the start.
    pub fn crowd(&self, count: usize) {
        self.change(|state| {
            for number in 0..count {
                let user = state.create_user(&format!("person{number}"), false);
                state.enter(self.guild, user);
            }
        });
    }

    /// Removes a permission in the guild from the bot's role.
    pub fn deny(&self, permission: Permission) {
        self.change_bot_role(|bits| bits & !permission.0);
    }

    /// Adds a permission in the guild to the bot's role.
    pub fn allow(&self, permission: Permission) {
        self.change_bot_role(|bits| bits | permission.0);
    }

    fn change_bot_role(&self, change: impl Fn(u64) -> u64) {
        self.change(|state| {
            let everyone = self.guild;
            for role in [state.role_named(self.guild, "Palabre"), everyone] {
                // The bot also has the permissions of everyone, so remove it there as well.
                let frame = state.role_mut(self.guild, role);
                let old = bits(&frame["permissions"]);
                let new = if role == everyone { old & change(old) } else { change(old) };
                if new == old {
                    continue;
                }
                frame["permissions"] = json!(new.to_string());
                let data = json!({ "guild_id": self.guild, "role": frame.clone() });
                state.dispatch("GUILD_ROLE_UPDATE", Some(self.guild), data);
            }
        });
    }

    /// Denies the bot a permission in one channel.
    pub fn deny_in(&self, channel: &str, permission: Permission) {
        self.change(|state| {
            let (channel, bot) = (state.place(self.guild, channel), state.bot);
            let place = state.channels.get_mut(&channel).expect("it was found before");
            let mut overwrites = place["permission_overwrites"].as_array().cloned().unwrap_or_default();
            let old =
                overwrites.iter().position(|one| Id::of(one, "id") == Some(bot)).map(|index| overwrites.remove(index));
            let denied = old.map_or(0, |old| bits(&old["deny"])) | permission.0;
            overwrites.push(json!({ "id": bot, "type": 1, "allow": "0", "deny": denied.to_string() }));
            place["permission_overwrites"] = Value::Array(overwrites);
            state.dispatch_channel(channel);
        });
    }

    /// Makes a user refuse direct messages from the bot.
    pub fn closes_direct(&self, who: &str) {
        self.change(|state| {
            let user = state.who(who);
            state.users.get_mut(&user).expect("they were found before").open_to_direct = false;
        });
    }
}
