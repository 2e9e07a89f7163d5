//! The interaction events that Discord sends to a bot.

use rand::distr::{Alphanumeric, SampleString};
use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::interaction::{Interaction, Kind};
use crate::discord::message::numbered;
use crate::discord::stand_in::StandIn;
use crate::discord::state::State;
use crate::json::{merge, without};

impl State {
    /// Finds the id that a name means in an option or select of this kind.
    pub(super) fn find_target(&mut self, guild: Id, kind: u64, name: &str) -> Id {
        let is_role = |state: &Self| state.guilds[&guild].roles.values().any(|role| role["name"] == name);
        match kind {
            7 => self.place(guild, name),
            8 => self.role_named(guild, name),
            9 if is_role(self) => self.role_named(guild, name),
            _ => self.who(name),
        }
    }

    /// Adds the object of an id: 6 a user, 7 a channel, 8 a role, 9 a user or a role.
    pub(super) fn resolve(&self, resolved: &mut Value, guild: Id, kind: u64, id: Id) {
        let key = id.to_string();
        if kind == 7 {
            let channel = &self.channels[&id];
            resolved["channels"][key] = json!({
                "id": id, "name": channel["name"], "type": channel["type"], "parent_id": channel["parent_id"],
                "permissions": self.permissions(guild, self.bot, Some(id)).to_string(),
            });
        } else if let Some(role) = self.guilds[&guild].roles.get(&id) {
            resolved["roles"][key] = role.clone();
        } else {
            resolved["users"][key.as_str()] = self.user_frame(id);
            if let Some(member) = self.bare_member_frame(guild, id) {
                // A resolved member has no `deaf` and `mute`.
                let mut member = without(member, &["deaf", "mute"]);
                member["permissions"] = json!(self.permissions(guild, id, None).to_string());
                resolved["members"][key.as_str()] = member;
            }
        }
    }

    /// Sends an interaction, for which an answer is then expected.
    pub(super) fn interact(
        &mut self,
        kind: Kind,
        who: &str,
        channel: Id,
        data: Value,
        message: Option<(Id, Id)>,
    ) -> Id {
        let (id, user, guild) = (self.fresh_id(), self.who(who), self.guild_of(channel));
        let token = Alphanumeric.sample_string(&mut self.random, 120);
        let place = &self.channels[&channel];
        let mut frame = json!({
            "id": id, "application_id": self.bot, "type": kind as u8, "token": token, "version": 1, "data": data,
            "channel_id": channel, "locale": "en-US", "entitlements": [], "attachment_size_limit": 10_485_760,
            "channel": { "id": channel, "type": place["type"], "name": place["name"], "parent_id": place["parent_id"] },
            "context": if guild.is_some() { 0 } else { 1 },
        });
        match guild {
            Some(guild) => {
                let mut member = self.member_frame(guild, user).unwrap_or_else(|| panic!("{who} is no member"));
                member["permissions"] = json!(self.permissions(guild, user, Some(channel)).to_string());
                merge(
                    &mut frame,
                    json!({
                        "guild_id": guild, "guild_locale": "en-US", "member": member,
                        "guild": { "id": guild, "locale": "en-US", "features": [] },
                        "app_permissions": self.permissions(guild, self.bot, Some(channel)).to_string(),
                        "authorizing_integration_owners": { "0": guild },
                    }),
                );
            }
            None => merge(
                &mut frame,
                json!({
                    "user": self.user_frame(user), "authorizing_integration_owners": { "0": "0" },
                    "app_permissions": "0",
                }),
            ),
        }
        if let Some((place, shown)) = message {
            frame["message"] = self.message(place, shown).cloned().unwrap_or_default();
            frame["message"]["components"] = numbered(&frame["message"]["components"]);
        }
        let mut interaction = Interaction::new(kind, token, self.now(), channel, user);
        (interaction.message, interaction.target) = (message, self.metadata_of_target(&frame["data"]));
        interaction.frame = frame.clone();
        self.interactions.insert(id, interaction);
        self.dispatch("INTERACTION_CREATE", guild, frame);
        id
    }
}

impl StandIn {
    /// Sends an interaction a second time, as Discord sometimes does.
    pub fn repeats(&self, interaction: Id) {
        self.change(|state| {
            let frame = state.interactions[&interaction].frame.clone();
            let guild = Id::of(&frame, "guild_id");
            state.dispatch("INTERACTION_CREATE", guild, frame);
        });
    }
}
