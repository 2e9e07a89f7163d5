//! Creates guilds with their roles and channels, and users, without sending events.

use serde_json::{Value, json};

use super::guild::{Guild, Member, User};
use super::id::Id;
use super::permissions;
use super::state::State;
use crate::json::merge;

impl State {
    /// Creates a guild.
    ///
    /// It has an owner, the bot, `@everyone`, and the roles Moderator, Admin and, above them, the
    /// bot's own.
    pub(super) fn create_guild(&mut self, name: &str) -> Id {
        // Each guild gets its own millisecond, so that guilds are spread over shards.
        let id = Id(self.fresh_id().0 + (1 << 22));
        self.last_id = self.last_id.max(id.0);
        let owner = self.user_named("olivia").unwrap_or_else(|| self.create_user("olivia", false));
        let joined = self.stamp();
        self.guilds.insert(id, Guild { name: name.to_owned(), owner, joined: joined.clone(), ..Guild::default() });
        self.put_role(id, id, "@everyone", 0, permissions::EVERYBODY);
        for (position, name) in [(1, "Moderator"), (2, "Admin"), (3, "Palabre")] {
            let role = self.fresh_id();
            let bits =
                if name == "Palabre" { permissions::BOT } else { permissions::EVERYBODY | permissions::MODERATOR };
            self.put_role(id, role, name, position, bits);
            if name == "Palabre" {
                let bot = self.bot;
                self.role_mut(id, role)["managed"] = json!(true);
                self.role_mut(id, role)["tags"] = json!({ "bot_id": bot });
                let member = Member { roles: vec![role], joined: joined.clone(), ..Member::default() };
                self.guild_mut(id).members.insert(bot, member);
            }
        }
        self.guild_mut(id).members.insert(owner, Member { joined, ..Member::default() });
        id
    }

    /// Creates the guild that every stand-in begins with.
    pub(super) fn create_default_guild(&mut self) {
        let guild = self.create_guild("Village");
        self.default_guild = guild;
        let text = self.create_channel(guild, "Text", 4, json!({}));
        for name in ["general", "random"] {
            self.create_channel(guild, name, 0, json!({ "parent_id": text }));
        }
        self.create_channel(guild, "voice", 2, json!({}));
        let tag = self.fresh_id();
        let tag = json!({ "id": tag, "name": "idea", "moderated": false, "emoji_id": null, "emoji_name": "💡" });
        self.create_channel(guild, "ideas", 15, json!({ "available_tags": [tag] }));
        let emoji = self.fresh_id();
        self.guild_mut(guild).emojis.push(json!({
            "id": emoji, "name": "tree", "roles": [], "require_colons": true, "managed": false, "animated": false,
            "available": true,
        }));
        let sticker = self.fresh_id();
        self.guild_mut(guild).stickers.push(json!({
            "id": sticker, "name": "wave", "tags": "wave", "type": 2, "format_type": 1, "description": "A wave",
            "available": true, "guild_id": guild,
        }));
        for name in ["alice", "bob"] {
            let user = self.create_user(name, false);
            self.enter(guild, user);
        }
    }

    /// Creates a user who is in no guild yet.
    pub(super) fn create_user(&mut self, name: &str, bot: bool) -> Id {
        let id = self.fresh_id();
        let display = (!bot).then(|| capitalised(name));
        self.users.insert(id, User { name: name.to_owned(), display, bot, open_to_direct: true });
        self.names.insert(name.to_owned(), id);
        id
    }

    /// Adds a member to a guild without sending an event.
    pub(super) fn enter(&mut self, guild: Id, user: Id) {
        let joined = self.stamp();
        self.guild_mut(guild).members.insert(user, Member { joined, ..Member::default() });
    }

    pub(super) fn put_role(&mut self, guild: Id, id: Id, name: &str, position: u64, bits: u64) {
        let role = json!({
            "id": id, "name": name, "permissions": bits.to_string(), "position": position, "color": 0,
            "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null }, "hoist": false,
            "managed": false, "mentionable": false, "icon": null, "unicode_emoji": null, "flags": 0,
        });
        self.guild_mut(guild).roles.insert(id, role);
    }

    pub(super) fn role_mut(&mut self, guild: Id, role: Id) -> &mut Value {
        self.guild_mut(guild).roles.get_mut(&role).unwrap_or_else(|| panic!("no role {role}"))
    }

    pub(super) fn guild_mut(&mut self, guild: Id) -> &mut Guild {
        self.guilds.get_mut(&guild).unwrap_or_else(|| panic!("no guild {guild}"))
    }

    /// Creates a channel of Discord's kind `kind` without sending an event.
    pub(super) fn create_channel(&mut self, guild: Id, name: &str, kind: u64, more: Value) -> Id {
        let id = self.fresh_id();
        let position = self.channels.values().filter(|channel| Id::of(channel, "guild_id") == Some(guild)).count();
        let mut channel = json!({
            "id": id, "type": kind, "flags": 0, "guild_id": guild, "name": name, "position": position,
            "parent_id": null, "topic": null, "nsfw": false, "last_message_id": null, "rate_limit_per_user": 0,
            "permission_overwrites": [],
        });
        merge(&mut channel, more);
        self.channels.insert(id, channel);
        id
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
