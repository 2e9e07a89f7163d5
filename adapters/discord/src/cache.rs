//! The platform cache: servers with their roles and channels, users, and recent messages.
//!
//! Servers are stored too: Discord sends them once per session, and not when a session is resumed
//! after a restart. Users and messages are kept in memory only.

mod audit_log;
mod guild;
mod people;

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{BotName, Event, Member, Message, Permission, Rank, Room, RoomId, RoomKind, SpaceId};

use crate::frames::Id;
use audit_log::AuditLog;
use guild::level;

pub(crate) use audit_log::Audited;
pub(crate) use guild::{Channel, GuildRow, Role, level_of_server};
pub(crate) use people::PeopleCache;

/// Servers by bot and id.
pub(crate) const GUILDS: Table<(String, u64), GuildRow> = Table::new(TableId::DiscordGuilds);

/// The most messages kept, which edits and deletions report as they were before.
const MESSAGES_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The platform cache of a bot, behind a lock.
pub(crate) struct PlatformCache {
    bot: BotName,
    cache: Mutex<Cache>,
}

/// The content of the platform cache.
pub(crate) struct Cache {
    /// The bot's user id; 0 until it is known.
    pub(crate) me: u64,
    /// The id of the bot's application; 0 until it is known.
    pub(crate) application: u64,
    pub(crate) guilds: HashMap<u64, GuildRow>,
    /// The server of each channel and thread.
    pub(crate) channels: HashMap<u64, u64>,
    pub(crate) people: PeopleCache,
    pub(crate) messages: LruCache<u64, Arc<CachedMessage>>,
    /// Recent entries of the audit log.
    pub(crate) audit: AuditLog,
    /// The servers with changes that are not stored yet.
    pub(crate) unsaved: BTreeSet<u64>,
}

/// A message as it was last seen.
pub(crate) struct CachedMessage {
    pub(crate) message: Message,
    pub(crate) pinned: bool,
    /// The time of the last edit, as Discord writes it.
    pub(crate) edited: Option<String>,
}

impl PlatformCache {
    pub(crate) fn new(bot: &BotName) -> Self {
        let cache = Cache {
            me: 0,
            application: 0,
            guilds: HashMap::new(),
            channels: HashMap::new(),
            people: PeopleCache::default(),
            messages: LruCache::new(MESSAGES_MAX),
            audit: AuditLog::default(),
            unsaved: BTreeSet::new(),
        };
        Self { bot: bot.clone(), cache: Mutex::new(cache) }
    }

    /// Loads the servers stored by an earlier process.
    pub(crate) fn load(&self, snapshot: &Snapshot) -> palabre_store::Result<()> {
        for row in GUILDS.scan(snapshot, &self.bot.to_string(), Direction::Forward)? {
            let ((bot, id), guild) = row?;
            if bot == self.bot.as_str() {
                self.lock().put(id, guild);
            }
        }
        Ok(())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn bot(&self) -> &BotName {
        &self.bot
    }

    pub(crate) fn space_id(&self, guild: u64) -> SpaceId {
        SpaceId::new(&self.bot, &guild.to_string())
    }

    pub(crate) fn room_id(&self, channel: u64) -> RoomId {
        RoomId::new(&self.bot, &channel.to_string())
    }

    /// Returns a channel as a room, which has the id for a name if the channel is unknown.
    pub(crate) fn room(&self, channel: u64) -> Room {
        let known = self.lock();
        match known.channel(channel) {
            Some((guild, channel_row)) => self.room_of(channel, channel_row, guild.locale.clone()),
            None => Room::channel(self.room_id(channel), &channel.to_string()),
        }
    }

    /// Returns a channel with a known description as a room.
    pub(crate) fn room_of(&self, id: u64, channel: &Channel, locale: Option<String>) -> Room {
        Room {
            id: self.room_id(id),
            name: channel.name.clone(),
            kind: if channel.is_thread() { RoomKind::Thread } else { RoomKind::Channel },
            topic: channel.topic.clone(),
            locale,
        }
    }
}

impl Cache {
    pub(crate) fn put(&mut self, id: u64, guild: GuildRow) {
        self.channels.retain(|_, of| *of != id);
        self.channels.extend(guild.channels.keys().map(|channel| (*channel, id)));
        self.guilds.insert(id, guild);
    }

    pub(crate) fn remove(&mut self, id: u64) {
        self.channels.retain(|_, of| *of != id);
        self.guilds.remove(&id);
    }

    /// Returns the server in which an event happened.
    pub(crate) fn guild_of(&self, event: &Event) -> Option<u64> {
        let named = event.space.as_ref().and_then(|space| space.id.native().parse().ok());
        named.or_else(|| self.channels.get(&event.room.as_ref()?.id.native().parse().ok()?).copied())
    }

    pub(crate) fn channel(&self, id: u64) -> Option<(&GuildRow, &Channel)> {
        let guild = self.guilds.get(self.channels.get(&id)?)?;
        Some((guild, guild.channels.get(&id)?))
    }

    /// Caches a member of a server with their roles.
    pub(crate) fn saw_member(&mut self, guild: u64, user: u64, member: &Member, roles: &[Id]) {
        let roles: Vec<u64> = roles.iter().map(|role| role.get()).collect();
        let is_own = user == self.me;
        if self.guilds.get_mut(&guild).is_some_and(|row| row.note_staff(user, is_own, &roles)) {
            self.unsaved.insert(guild);
        }
        self.people.saw_member(guild, user, member, roles);
    }

    /// Returns a member's rank in a server: the position of their highest role.
    ///
    /// The owner has the highest rank. `None` if their roles are unknown.
    pub(crate) fn rank(&self, guild: u64, user: u64) -> Option<Rank> {
        let row = self.guilds.get(&guild)?;
        if row.owner == user {
            return Some(Rank::OWNER);
        }
        let roles = self.people.roles(guild, user).or_else(|| row.staff.get(&user))?;
        let mut positions = roles.iter().filter_map(|role| row.roles.get(role)).map(|role| role.position);
        positions.try_fold(0, |highest, position| Some(highest.max(position?))).map(Rank)
    }

    /// Returns a mention as text.
    ///
    /// Roles and channels that are unknown in the server become `@role` and `#channel`.
    pub(crate) fn mentioned(&self, guild: Option<u64>, mention: &str) -> Option<String> {
        let inner = mention.strip_prefix('<')?.strip_suffix('>')?;
        if let Some(role) = inner.strip_prefix("@&") {
            let role: u64 = role.parse().ok()?;
            let known = guild.and_then(|guild| self.guilds.get(&guild)?.roles.get(&role));
            return Some(format!("@{}", known.map_or("role", |role| role.name.trim_start_matches('@'))));
        }
        if let Some(channel) = inner.strip_prefix('#') {
            let channel: u64 = channel.parse().ok()?;
            let is_here = guild.is_some() && self.channels.get(&channel).copied() == guild;
            let known = if is_here { self.channel(channel) } else { None };
            return Some(format!("#{}", known.map_or("channel", |(_, row)| row.name.as_str())));
        }
        let user: u64 = inner.strip_prefix('@')?.trim_start_matches('!').parse().ok()?;
        let nickname = guild.and_then(|guild| self.people.member(guild, user)?.nickname.as_deref());
        let name = nickname.or_else(|| self.people.user(user).map(|user| user.name.as_str()));
        Some(name.map_or_else(|| format!("@{user}"), |name| format!("@{name}")))
    }

    /// Returns the permission level of a member with these roles.
    pub(crate) fn permission(&self, guild: u64, user: u64, roles: &[u64]) -> Permission {
        let Some(row) = self.guilds.get(&guild) else { return Permission::Member };
        if row.owner == user {
            return Permission::Admin;
        }
        let everyone = row.roles.get(&guild).map_or(0, |role| role.permissions);
        let bits =
            roles.iter().filter_map(|role| row.roles.get(role)).fold(everyone, |bits, role| bits | role.permissions);
        level(bits)
    }
}
