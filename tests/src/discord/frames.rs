//! Users, members and guilds in Discord's format.

use serde_json::{Value, json};

use super::id::Id;
use super::intents::{MEMBERS, PRESENCES, application_flags};
use super::state::State;
use crate::json::without;

impl State {
    /// A user.
    pub(super) fn user_frame(&self, id: Id) -> Value {
        let Some(user) = self.users.get(&id) else {
            return json!({
                "id": id, "username": "Deleted User", "discriminator": "0000", "avatar": null, "public_flags": 0,
                "flags": 0, "global_name": null, "primary_guild": null,
            });
        };
        json!({
            "id": id, "username": user.name, "discriminator": if user.bot { "0042" } else { "0" },
            "global_name": user.display, "avatar": null, "public_flags": 0, "flags": 0, "primary_guild": null,
            "bot": user.bot, "banner": null, "accent_color": null, "avatar_decoration_data": null, "collectibles": null,
        })
    }

    /// A member without the user, as sent next to an author.
    pub(super) fn bare_member_frame(&self, guild: Id, user: Id) -> Option<Value> {
        let member = self.guilds.get(&guild)?.members.get(&user)?;
        Some(json!({
            "nick": member.nick, "roles": member.roles, "joined_at": member.joined, "mute": member.mute,
            "deaf": member.deaf, "communication_disabled_until": member.timeout, "avatar": null, "banner": null,
            "flags": 0, "pending": false, "premium_since": null,
        }))
    }

    /// A member with the user.
    pub(super) fn member_frame(&self, guild: Id, user: Id) -> Option<Value> {
        let mut member = self.bare_member_frame(guild, user)?;
        member["user"] = self.user_frame(user);
        Some(member)
    }

    /// A guild as the REST API returns it.
    pub(super) fn guild_frame(&self, id: Id) -> Value {
        let guild = &self.guilds[&id];
        json!({
            "id": id, "name": guild.name, "icon": null, "description": null, "home_header": null, "splash": null,
            "discovery_splash": null, "features": [], "banner": null, "owner_id": guild.owner, "application_id": null,
            "region": "deprecated", "afk_channel_id": null, "afk_timeout": 300, "system_channel_id": null,
            "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": null, "verification_level": 1,
            "roles": guild.roles.values().collect::<Vec<_>>(), "default_message_notifications": 1, "mfa_level": 0,
            "explicit_content_filter": 2, "max_presences": null, "max_members": 500_000,
            "max_stage_video_channel_users": 50, "max_video_channel_users": 25, "vanity_url_code": null,
            "premium_tier": 0, "premium_subscription_count": 0, "preferred_locale": "en-US", "rules_channel_id": null,
            "safety_alerts_channel_id": null, "public_updates_channel_id": null, "premium_progress_bar_enabled": false,
            "nsfw": false, "nsfw_level": 0, "emojis": guild.emojis, "stickers": guild.stickers, "incidents_data": null,
        })
    }

    /// A guild as `GUILD_CREATE` sends it to a session. The intents decide which members are included.
    pub(super) fn guild_create_frame(&self, id: Id, intents: u64, large: usize) -> Value {
        let guild = &self.guilds[&id];
        let mut frame = self.guild_frame(id);
        let in_guild = || self.channels.values().filter(move |channel| Id::of(channel, "guild_id") == Some(id));
        let is_thread = |channel: &&Value| matches!(channel["type"].as_u64(), Some(10..=12));
        let homeless = |one: &Value| without(one.clone(), &["guild_id"]);
        let channels = in_guild().filter(|channel| !is_thread(channel)).map(homeless);
        let is_open = |thread: &&Value| thread["thread_metadata"]["archived"] != true;
        let everyone = intents & PRESENCES != 0 && guild.members.len() <= large;
        let shown = |user: &&Id| everyone || **user == self.bot || guild.voice.contains_key(user);
        frame["joined_at"] = json!(guild.joined);
        frame["large"] = json!(guild.members.len() > large);
        frame["unavailable"] = json!(false);
        frame["member_count"] = json!(guild.members.len());
        frame["voice_states"] = guild.voice.values().map(homeless).collect();
        frame["members"] = guild.members.keys().filter(shown).filter_map(|user| self.member_frame(id, *user)).collect();
        frame["channels"] = channels.collect();
        frame["threads"] = in_guild().filter(is_thread).filter(is_open).cloned().collect();
        frame["presences"] = if everyone { guild.presences.values().cloned().collect() } else { json!([]) };
        for nothing in ["stage_instances", "guild_scheduled_events", "soundboard_sounds"] {
            frame[nothing] = json!([]);
        }
        frame
    }

    /// The bot's application.
    pub(super) fn application_frame(&self) -> Value {
        let flags = application_flags(self.options.privileged);
        json!({
            "id": self.bot, "name": "Palabre", "icon": null, "description": "Talk under the village tree", "type": null,
            "verify_key": "0".repeat(64), "flags": flags, "flags_new": flags.to_string(), "redirect_uris": [],
            "interactions_endpoint_url": null, "role_connections_verification_url": null,
            "owner": self.user_frame(self.guilds[&self.default_guild].owner),
            "approximate_guild_count": self.guilds.len(),
            "approximate_user_install_count": 0, "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0, "team": null, "eligible_oauth2_scopes": [],
            "bot": self.user_frame(self.bot), "bot_public": true, "bot_require_code_grant": false, "tags": [],
            "integration_types_config": { "0": {} },
        })
    }

    /// Whether a session with these intents may request all members of a guild.
    pub(super) fn may_list_members(intents: u64) -> bool {
        intents & MEMBERS != 0
    }
}
