//! A server as it is stored.

use std::collections::BTreeMap;

use palabre_types::Permission;
use serde::{Deserialize, Serialize};

use crate::frames;

/// Permission bits.
///
/// <https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags>
const KICK: u64 = 1 << 1;
const BAN: u64 = 1 << 2;
const ADMINISTRATOR: u64 = 1 << 3;
const MANAGE_GUILD: u64 = 1 << 5;
const MANAGE_MESSAGES: u64 = 1 << 13;
const MODERATE: u64 = 1 << 40;

/// A server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GuildRow {
    pub(crate) name: String,
    pub(crate) owner: u64,
    /// The channel in which Discord itself announces new members.
    #[serde(default)]
    pub(crate) system_channel: Option<u64>,
    #[serde(default)]
    pub(crate) locale: Option<String>,
    pub(crate) roles: BTreeMap<u64, Role>,
    /// The channels, and the threads that are open.
    pub(crate) channels: BTreeMap<u64, Channel>,
    /// The roles of the bot and of moderators, as far as they were seen.
    ///
    /// A resumed session does not send them again, and a member's rank follows from them.
    #[serde(default)]
    pub(crate) staff: BTreeMap<u64, Vec<u64>>,
}

/// A role of a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) permissions: u64,
    /// The position in the hierarchy; 0 for @everyone. `None` in rows of older versions.
    #[serde(default)]
    pub(crate) position: Option<u32>,
    /// Whether the role belongs to a bot or another integration.
    #[serde(default)]
    pub(crate) managed: bool,
}

/// A channel or a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) kind: u8,
    #[serde(default)]
    pub(crate) topic: Option<String>,
    /// The channel of a thread, or the category of a channel.
    #[serde(default)]
    pub(crate) parent: Option<u64>,
}

impl GuildRow {
    pub(crate) fn of(guild: &frames::Guild) -> Self {
        let roles = guild
            .roles
            .iter()
            .filter(|role| role.id.known().is_some())
            .map(|role| (role.id.get(), Role::of(role)))
            .collect();
        let channels = guild.channels.iter().chain(&guild.threads);
        Self {
            name: guild.name.clone(),
            owner: guild.owner_id.get(),
            system_channel: guild.system_channel_id.known(),
            locale: guild.preferred_locale.clone(),
            roles,
            channels: channels.map(|channel| (channel.id.get(), Channel::of(channel))).collect(),
            staff: BTreeMap::new(),
        }
    }

    /// Stores the roles of a moderator or of the bot, and returns whether that changes anything.
    pub(super) fn note_staff(&mut self, user: u64, is_own: bool, roles: &[u64]) -> bool {
        let bits = roles.iter().filter_map(|role| self.roles.get(role)).fold(0, |bits, role| bits | role.permissions);
        if !is_own && level(bits) < Permission::Moderator {
            return self.staff.remove(&user).is_some();
        }
        self.staff.insert(user, roles.to_vec()).is_none_or(|before| before != roles)
    }

    /// Returns the names of the roles with these ids, in the same order.
    pub(crate) fn role_names(&self, ids: &[u64]) -> Vec<String> {
        ids.iter().filter_map(|id| self.roles.get(id)).map(|role| role.name.clone()).collect()
    }

    /// Returns the role with this name or id; of two with one name, the older.
    pub(crate) fn role(&self, name: &str) -> Option<u64> {
        let by_id = name.parse().ok().filter(|id| self.roles.contains_key(id));
        let exact = || self.roles.iter().find(|(_, role)| role.name == name).map(|(id, _)| *id);
        let any_case = || self.roles.iter().find(|(_, role)| role.name.to_lowercase() == name.to_lowercase());
        by_id.or_else(exact).or_else(|| any_case().map(|(id, _)| *id))
    }

    /// Returns the roles of moderators who are not administrators.
    ///
    /// `guild` is the id of the server, and of its @everyone role.
    pub(crate) fn moderating_roles(&self, guild: u64) -> impl Iterator<Item = u64> + '_ {
        self.roles.iter().filter(move |(id, role)| **id != guild && role.is_moderators()).map(|(id, _)| *id)
    }

    /// Returns the channel for announcements: Discord's own, or else the first text channel.
    pub(crate) fn front(&self) -> Option<u64> {
        let first = || self.channels.iter().find(|(_, channel)| channel.kind == 0).map(|(id, _)| *id);
        self.system_channel.filter(|id| self.channels.contains_key(id)).or_else(first)
    }
}

impl Role {
    pub(crate) fn of(role: &frames::Role) -> Self {
        Self {
            name: role.name.clone(),
            permissions: role.permissions.parse().unwrap_or_default(),
            position: u32::try_from(role.position).ok(),
            managed: role.managed,
        }
    }
}

impl Role {
    /// Whether the role makes its members moderators, but not administrators.
    fn is_moderators(&self) -> bool {
        !self.managed && self.permissions & ADMINISTRATOR == 0 && level(self.permissions) >= Permission::Moderator
    }
}

impl Channel {
    pub(crate) fn of(channel: &frames::Channel) -> Self {
        Self {
            name: channel.name.clone().unwrap_or_default(),
            kind: channel.kind,
            topic: channel.topic.clone().filter(|topic| !topic.is_empty()),
            parent: channel.parent_id.known(),
        }
    }

    /// Whether it is a thread, which has type 10, 11 or 12.
    pub(crate) const fn is_thread(&self) -> bool {
        matches!(self.kind, 10..=12)
    }
}

/// Returns the permission level of permission bits.
pub(crate) fn level(bits: u64) -> Permission {
    if bits & (ADMINISTRATOR | MANAGE_GUILD) != 0 {
        Permission::Admin
    } else if bits & (KICK | BAN | MANAGE_MESSAGES | MODERATE) != 0 {
        Permission::Moderator
    } else {
        Permission::Member
    }
}

/// Returns the permission level in the server from permission bits in one channel.
///
/// Permissions that a channel may grant by itself are ignored.
pub(crate) fn level_of_server(bits: u64) -> Permission {
    level(bits & !MANAGE_MESSAGES)
}
