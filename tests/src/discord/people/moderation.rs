//! Joins, leaves and moderation by users.

use std::time::Duration;

use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::stand_in::StandIn;
use crate::discord::timestamp::stamp;
use crate::json::merge;

impl StandIn {
    /// Adds a user to the guild, who is created if needed.
    pub fn joins(&self, who: &str) -> Id {
        let user = self.person(who);
        self.change(|state| {
            state.enter(self.guild, user);
            let mut data = state.member_frame(self.guild, user).expect("they are a member now");
            data["guild_id"] = json!(self.guild);
            state.dispatch("GUILD_MEMBER_ADD", Some(self.guild), data);
        });
        user
    }

    /// Adds another bot to the guild.
    pub fn bot_joins(&self, name: &str) -> Id {
        self.change(|state| state.create_user(name, true));
        self.joins(name)
    }

    /// Leaves the guild.
    pub fn leaves(&self, who: &str) {
        self.change(|state| state.depart(self.guild, state.who(who)));
    }

    /// Kicks a member as a moderator.
    pub fn kicks(&self, moderator: &str, who: &str, reason: Option<&str>) {
        self.change(|state| state.remove_member(self.guild, state.who(moderator), state.who(who), reason));
    }

    /// Bans a member as a moderator.
    pub fn bans(&self, moderator: &str, who: &str, reason: Option<&str>) {
        self.change(|state| state.ban(self.guild, state.who(moderator), state.who(who), reason));
    }

    /// Lifts a ban as a moderator.
    pub fn unbans(&self, moderator: &str, who: &str) {
        self.change(|state| state.unban(self.guild, state.who(moderator), state.who(who), None));
    }

    /// Times a member out as a moderator; a time of zero lifts it.
    pub fn times_out(&self, moderator: &str, who: &str, time: Duration, reason: Option<&str>) {
        self.change(|state| {
            let (by, user) = (state.who(moderator), state.who(who));
            let millis = u64::try_from(time.as_millis()).unwrap_or_default();
            let until = (millis > 0).then(|| stamp(state.now() + millis));
            let old = state.member_mut(self.guild, user).timeout.clone();
            state.member_mut(self.guild, user).timeout.clone_from(&until);
            let changes = json!([{ "key": "communication_disabled_until", "old_value": old, "new_value": until }]);
            state.in_any_order(
                |state| state.dispatch_member(self.guild, user),
                |state| state.audit(self.guild, by, 24, Some(user), reason, changes, Value::Null),
            );
        });
    }

    /// Assigns a role as a moderator.
    pub fn gives_role(&self, moderator: &str, who: &str, role: &str) {
        self.change_role(moderator, who, role, true);
    }

    /// Removes a role as a moderator.
    pub fn takes_role(&self, moderator: &str, who: &str, role: &str) {
        self.change_role(moderator, who, role, false);
    }

    fn change_role(&self, moderator: &str, who: &str, role: &str, give: bool) {
        self.change(|state| {
            let (by, user, role) = (state.who(moderator), state.who(who), state.role_named(self.guild, role));
            state.change_role(self.guild, by, user, role, give, None);
        });
    }

    /// Changes a nickname; `None` removes it.
    pub fn renames(&self, moderator: &str, who: &str, nick: Option<&str>) {
        self.change(|state| {
            let (by, user) = (state.who(moderator), state.who(who));
            let old = state.member_mut(self.guild, user).nick.clone();
            state.member_mut(self.guild, user).nick = nick.map(ToOwned::to_owned);
            state.dispatch_member(self.guild, user);
            let changes = json!([{ "key": "nick", "old_value": old, "new_value": nick }]);
            state.audit(self.guild, by, 24, Some(user), None, changes, Value::Null);
        });
    }

    /// Deletes a message of another user as a moderator.
    pub fn removes_message(&self, moderator: &str, message: Id) {
        self.change(|state| {
            let (by, channel) = (state.who(moderator), state.channel_of(message));
            let author = state.message(channel, message).and_then(|one| Id::of(&one["author"], "id"));
            let options = json!({ "channel_id": channel, "count": "1" });
            state.in_any_order(
                |state| state.erase(channel, &[message]),
                |state| state.audit(self.guild, by, 72, author, None, Value::Null, options),
            );
        });
    }

    /// Deletes several messages of a channel at once as a moderator.
    pub fn purges(&self, moderator: &str, channel: &str, messages: &[Id]) {
        self.change(|state| {
            let (by, channel) = (state.who(moderator), state.place(self.guild, channel));
            state.erase(channel, messages);
            let options = json!({ "count": messages.len().to_string() });
            state.audit(self.guild, by, 73, Some(channel), None, Value::Null, options);
        });
    }

    /// Changes fields of a channel: `name`, `topic`, `rate_limit_per_user`.
    ///
    /// For a thread also `thread_metadata`.
    pub fn changes_channel(&self, moderator: &str, channel: &str, fields: Value) {
        self.change(|state| {
            let (by, channel) = (state.who(moderator), state.place(self.guild, channel));
            merge(state.channels.get_mut(&channel).expect("it was found before"), fields);
            state.dispatch_channel(channel);
            state.audit(self.guild, by, 11, Some(channel), None, Value::Null, Value::Null);
        });
    }

    /// Changes a presence: `online`, `idle`, `dnd`, `offline`.
    pub fn appears(&self, who: &str, status: &str, activities: Value) {
        self.change(|state| {
            let user = state.who(who);
            let presence = json!({
                "user": { "id": user }, "status": status, "activities": activities,
                "client_status": { "desktop": status },
            });
            state.guild_mut(self.guild).presences.insert(user, presence.clone());
            let mut data = presence;
            data["guild_id"] = json!(self.guild);
            state.dispatch("PRESENCE_UPDATE", Some(self.guild), data);
        });
    }

    /// Enters a voice channel; `None` leaves it.
    pub fn goes_to_voice(&self, who: &str, channel: Option<&str>) {
        self.change(|state| {
            let (user, channel) = (state.who(who), channel.map(|name| state.place(self.guild, name)));
            let voice_state = json!({
                "guild_id": self.guild, "channel_id": channel, "user_id": user, "session_id": format!("{user:032}"),
                "member": state.member_frame(self.guild, user), "deaf": false, "mute": false, "self_deaf": false,
                "self_mute": false, "self_video": false, "suppress": false, "request_to_speak_timestamp": null,
            });
            match channel {
                Some(_) => state.guild_mut(self.guild).voice.insert(user, voice_state.clone()),
                None => state.guild_mut(self.guild).voice.remove(&user),
            };
            state.dispatch("VOICE_STATE_UPDATE", Some(self.guild), voice_state);
        });
    }
}
