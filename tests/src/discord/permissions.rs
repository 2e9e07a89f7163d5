//! Permissions of members in guilds and channels.

use serde_json::Value;

use super::id::Id;
use super::state::State;

/// A permission bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission(pub u64);

macro_rules! permissions {
    ($($name:ident = $bit:literal),+ $(,)?) => {
        impl Permission {
            $(
                #[allow(missing_docs, reason = "Discord documents them by these names")]
                pub const $name: Self = Self(1 << $bit);
            )+
        }
    };
}

permissions! {
    CREATE_INSTANT_INVITE = 0, KICK_MEMBERS = 1, BAN_MEMBERS = 2, ADMINISTRATOR = 3, MANAGE_CHANNELS = 4,
    MANAGE_GUILD = 5, ADD_REACTIONS = 6, VIEW_AUDIT_LOG = 7, VIEW_CHANNEL = 10, SEND_MESSAGES = 11,
    MANAGE_MESSAGES = 13, EMBED_LINKS = 14, ATTACH_FILES = 15, READ_MESSAGE_HISTORY = 16,
    MENTION_EVERYONE = 17, CONNECT = 20, SPEAK = 21, CHANGE_NICKNAME = 26, MANAGE_NICKNAMES = 27,
    MANAGE_ROLES = 28, MANAGE_WEBHOOKS = 29, MANAGE_THREADS = 34, CREATE_PUBLIC_THREADS = 35,
    CREATE_PRIVATE_THREADS = 36, SEND_MESSAGES_IN_THREADS = 38, MODERATE_MEMBERS = 40, SEND_POLLS = 49,
    PIN_MESSAGES = 51,
}

/// The permissions of everyone in a new guild.
pub(super) const EVERYBODY: u64 = Permission::VIEW_CHANNEL.0
    | Permission::SEND_MESSAGES.0
    | Permission::ADD_REACTIONS.0
    | Permission::READ_MESSAGE_HISTORY.0
    | Permission::EMBED_LINKS.0
    | Permission::ATTACH_FILES.0
    | Permission::CONNECT.0
    | Permission::SPEAK.0
    | Permission::CHANGE_NICKNAME.0
    | Permission::CREATE_INSTANT_INVITE.0
    | Permission::CREATE_PUBLIC_THREADS.0
    | Permission::SEND_MESSAGES_IN_THREADS.0
    | Permission::SEND_POLLS.0;

/// The additional permissions of moderators.
pub(super) const MODERATOR: u64 = Permission::KICK_MEMBERS.0
    | Permission::BAN_MEMBERS.0
    | Permission::MANAGE_MESSAGES.0
    | Permission::MODERATE_MEMBERS.0
    | Permission::MANAGE_NICKNAMES.0
    | Permission::MANAGE_THREADS.0
    | Permission::VIEW_AUDIT_LOG.0
    | Permission::MENTION_EVERYONE.0
    | Permission::PIN_MESSAGES.0;

/// The permissions of the bot: all except administrator, until a test removes some.
pub(super) const BOT: u64 = EVERYBODY
    | MODERATOR
    | Permission::MANAGE_CHANNELS.0
    | Permission::MANAGE_GUILD.0
    | Permission::MANAGE_ROLES.0
    | Permission::MANAGE_WEBHOOKS.0
    | Permission::CREATE_PRIVATE_THREADS.0;

const ALL: u64 = (1 << 53) - 1;

/// Reads a set of permissions in JSON: a string, or a number.
pub(super) fn bits(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

impl State {
    /// The permissions of a user in a guild, or in one of its channels.
    pub(super) fn permissions(&self, guild: Id, user: Id, channel: Option<Id>) -> u64 {
        let Some(home) = self.guilds.get(&guild) else { return 0 };
        let Some(member) = home.members.get(&user) else { return 0 };
        if home.owner == user {
            return ALL;
        }
        let roles = std::iter::once(guild).chain(member.roles.iter().copied());
        let base = roles.filter_map(|role| home.roles.get(&role)).fold(0, |sum, role| sum | bits(&role["permissions"]));
        if base & Permission::ADMINISTRATOR.0 != 0 {
            return ALL;
        }
        let Some(channel) = channel.and_then(|id| self.overwriting(id)) else { return base };
        let overwrite = |of: Id| {
            let found =
                channel["permission_overwrites"].as_array()?.iter().find(|one| Id::of(one, "id") == Some(of))?;
            Some((bits(&found["allow"]), bits(&found["deny"])))
        };
        let apply = |mut sum: u64, overwrites: &[Id]| {
            let found: Vec<_> = overwrites.iter().filter_map(|of| overwrite(*of)).collect();
            found.iter().for_each(|(_, deny)| sum &= !deny);
            found.iter().fold(sum, |sum, (allow, _)| sum | allow)
        };
        let everybody = apply(base, &[guild]);
        let by_roles = apply(everybody, &member.roles);
        apply(by_roles, &[user])
    }

    /// Returns the channel whose overwrites apply: for a thread, its parent.
    fn overwriting(&self, channel: Id) -> Option<&Value> {
        let channel = self.channels.get(&channel)?;
        match channel["type"].as_u64() {
            Some(10..=12) => self.channels.get(&Id::of(channel, "parent_id")?),
            _ => Some(channel),
        }
    }

    /// The position of a member's highest role; the owner is above all.
    pub(super) fn rank(&self, guild: Id, user: Id) -> u64 {
        let Some(home) = self.guilds.get(&guild) else { return 0 };
        if home.owner == user {
            return u64::MAX;
        }
        let roles = home.members.get(&user).map(|member| member.roles.as_slice()).unwrap_or_default();
        roles.iter().filter_map(|role| home.roles.get(role)?["position"].as_u64()).max().unwrap_or_default()
    }
}
