//! Invites.

use rand::RngExt;
use serde_json::{Value, json};

use crate::discord::id::Id;
use crate::discord::permissions::Permission;
use crate::discord::state::State;
use crate::discord::timestamp::stamp;

use super::call::Call;
use super::reply::{Outcome, Reply};

pub(super) fn create(state: &mut State, call: &Call) -> Outcome {
    let (channel, body) = (call.id("channel_id"), call.body_or_null());
    state.need_in(channel, Permission::CREATE_INSTANT_INVITE)?;
    let invite = state.create_invite(channel, state.bot, &body);
    Reply::ok(invite)
}

pub(super) fn list(state: &mut State, call: &Call) -> Outcome {
    let channel = call.id("channel_id");
    state.need_in(channel, Permission::MANAGE_CHANNELS)?;
    let here = |invite: &&Value| Id::of(&invite["channel"], "id") == Some(channel);
    Reply::ok(state.invites.iter().filter(here).cloned().collect())
}

impl State {
    /// Creates an invite and sends the event.
    pub(in crate::discord) fn create_invite(&mut self, channel: Id, by: Id, body: &Value) -> Value {
        let letters = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        let code: String = (0..8).map(|_| char::from(letters[self.random.random_range(0..letters.len())])).collect();
        let guild = self.guild_of(channel).expect("invites are to guilds");
        let max_age = body["max_age"].as_u64().unwrap_or(86_400);
        let (now, place) = (self.now(), self.channels[&channel].clone());
        let expires = (max_age > 0).then(|| stamp(now + max_age * 1_000));
        let max_uses = body["max_uses"].as_u64().unwrap_or_default();
        let temporary = body["temporary"] == true;
        let home = self.guild_frame(guild);
        let mut brief = json!({});
        for field in [
            "id",
            "name",
            "icon",
            "splash",
            "banner",
            "description",
            "features",
            "verification_level",
            "nsfw_level",
            "vanity_url_code",
            "nsfw",
            "premium_subscription_count",
            "premium_tier",
        ] {
            brief[field] = home[field].clone();
        }
        let invite = json!({
            "type": 0, "code": code, "expires_at": expires, "guild": brief, "guild_id": guild,
            "channel": { "id": channel, "name": place["name"], "type": place["type"] }, "inviter": self.user_frame(by),
            "max_age": max_age, "max_uses": max_uses, "uses": 0, "temporary": temporary, "created_at": self.stamp(),
        });
        self.invites.push(invite.clone());
        let data = json!({
            "channel_id": channel, "code": code, "created_at": self.stamp(), "guild_id": guild,
            "inviter": self.user_frame(by),
            "max_age": max_age, "max_uses": max_uses, "temporary": temporary, "uses": 0, "expires_at": expires,
        });
        self.dispatch("INVITE_CREATE", Some(guild), data);
        invite
    }
}
