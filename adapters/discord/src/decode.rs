//! Decodes gateway frames into events.

mod interactions;
mod members;
mod messages;
mod rooms;

use std::sync::Arc;

use palabre_types::{Bot, Event, EventKind, Member, Millis, RoomKind, Space, User, UserId};
use serde_json::Value;

use crate::cache::{Cache, PlatformCache};
use crate::frames::{self, Id};
use crate::timestamp::millis;

/// Decodes frames into events, and keeps the platform cache up to date.
pub(crate) struct Decoder {
    pub(crate) bot: Bot,
    pub(crate) cache: Arc<PlatformCache>,
    /// Whether messages of other bots are events.
    pub(crate) hear_bots: bool,
    /// The number of the shard and the total: frames concern the servers of this shard only.
    pub(crate) shard: (u32, u32),
}

/// The result of decoding a frame.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Decoded {
    pub(crate) events: Vec<Event>,
    /// The servers whose rows have changed.
    pub(crate) changed: Vec<u64>,
}

impl From<Event> for Decoded {
    fn from(event: Event) -> Self {
        Self { events: vec![event], changed: Vec::new() }
    }
}

/// The place of an event, and the user.
#[derive(Default)]
struct Scene {
    guild: Option<u64>,
    channel: Option<u64>,
    user: Option<User>,
    member: Option<Member>,
}

impl Decoder {
    /// Returns the events of a frame named `name`.
    ///
    /// A frame that has no event kind of its own, or is malformed, becomes a native event.
    pub(crate) fn decode(&self, name: &str, data: Value, now: Millis) -> Decoded {
        match self.known(name, &data, now) {
            Ok(Some(decoded)) => decoded,
            Ok(None) => self.native(name, data, now).into(),
            Err(error) => {
                // The text of the error may quote a user.
                let (kind, column) = (error.classify(), error.column());
                tracing::warn!(bot = %self.bot.name, frame = name, "malformed frame ({kind:?}, at column {column})");
                self.native(name, data, now).into()
            }
        }
    }

    /// Decodes a frame, or returns `None` if it has no event kind of its own.
    fn known(&self, name: &str, data: &Value, now: Millis) -> Result<Option<Decoded>, serde_json::Error> {
        Ok(Some(match name {
            "READY" => self.ready(&read(data)?, now),
            "RESUMED" => self.without_place(EventKind::Ready { reason: Some("resumed".to_owned()) }, now).into(),
            "MESSAGE_CREATE" => return Ok(self.message(&read(data)?, now)),
            "MESSAGE_UPDATE" => return Ok(self.message_update(&read(data)?, now)),
            "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => self.message_delete(&read(data)?, now),
            "MESSAGE_REACTION_ADD" => self.reaction(&read(data)?, true, now),
            "MESSAGE_REACTION_REMOVE" => self.reaction(&read(data)?, false, now),
            "MESSAGE_POLL_VOTE_ADD" => self.vote(&read(data)?, true, now),
            "MESSAGE_POLL_VOTE_REMOVE" => self.vote(&read(data)?, false, now),
            "INTERACTION_CREATE" => return Ok(self.interaction(&read(data)?, now)),
            "GUILD_CREATE" => self.guild_create(&read(data)?, now),
            "GUILD_UPDATE" => return Ok(self.guild_update(&read(data)?)),
            "GUILD_DELETE" => match self.guild_delete(&read(data)?) {
                Some(gone) => Decoded { changed: vec![gone], ..self.native(name, data.clone(), now).into() },
                None => Decoded::default(),
            },
            "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE" | "GUILD_ROLE_DELETE" => {
                Decoded { changed: self.role(name, &read(data)?), ..self.native(name, data.clone(), now).into() }
            }
            "CHANNEL_CREATE" | "THREAD_CREATE" => self.channel_create(&read(data)?, now),
            "CHANNEL_UPDATE" | "THREAD_UPDATE" => self.channel_update(&read(data)?, now),
            "CHANNEL_DELETE" | "THREAD_DELETE" => self.channel_delete(&read(data)?, now),
            "THREAD_LIST_SYNC" => self.threads(&read(data)?),
            "GUILD_MEMBER_ADD" => self.join(&read(data)?, now),
            "GUILD_MEMBER_REMOVE" => self.leave(&read(data)?, now),
            "GUILD_MEMBER_UPDATE" => self.member_update(&read(data)?, now),
            "GUILD_BAN_ADD" => self.ban(&read(data)?, true, now),
            "GUILD_BAN_REMOVE" => self.ban(&read(data)?, false, now),
            "TYPING_START" => self.typing(&read(data)?, now),
            "PRESENCE_UPDATE" => self.presence(&read(data)?, now),
            "VOICE_STATE_UPDATE" => self.voice(&read(data)?, now),
            "GUILD_AUDIT_LOG_ENTRY_CREATE" => {
                self.audit(&read(data)?, now);
                return Ok(None);
            }
            "INVITE_CREATE" => self.invite(&read(data)?, now),
            // Responses to our own requests, and frames that repeat others.
            "GUILD_MEMBERS_CHUNK" | "CHANNEL_PINS_UPDATE" | "PRESENCES_REPLACE" => Decoded::default(),
            _ => return Ok(None),
        }))
    }

    fn ready(&self, ready: &frames::Ready, now: Millis) -> Decoded {
        let mut known = self.cache.lock();
        known.me = ready.user.id.get();
        known.application = ready.application.id.get();
        // The frame lists all servers of the shard; the bot has left the others since it was last
        // here.
        let (number, total) = (u64::from(self.shard.0), u64::from(self.shard.1.max(1)));
        let is_there = |id: u64| ready.guilds.iter().any(|guild| guild.id.get() == id);
        let gone: Vec<_> =
            known.guilds.keys().copied().filter(|id| (id >> 22) % total == number && !is_there(*id)).collect();
        gone.iter().for_each(|id| known.remove(*id));
        drop(known);
        Decoded { changed: gone, ..self.without_place(EventKind::Ready { reason: None }, now).into() }
    }

    pub(crate) fn without_place(&self, kind: EventKind, now: Millis) -> Event {
        Event::without_place(self.bot.clone(), now, kind)
    }

    fn native(&self, name: &str, data: Value, now: Millis) -> Event {
        let guild: Id = data.get("guild_id").and_then(Id::deserialize_from).unwrap_or_default();
        let channel: Id = data.get("channel_id").and_then(Id::deserialize_from).unwrap_or_default();
        let scene = Scene { guild: guild.known(), channel: channel.known(), ..Scene::default() };
        self.event(scene, EventKind::Native { name: name.to_owned(), data }, now)
    }

    fn event(&self, scene: Scene, kind: EventKind, now: Millis) -> Event {
        let known = self.cache.lock();
        let space = scene.guild.map(|guild| {
            let name = known.guilds.get(&guild).map_or_else(String::new, |guild| guild.name.clone());
            Arc::new(Space { id: self.cache.space_id(guild), name })
        });
        drop(known);
        let room = scene.channel.map(|channel| {
            let mut room = self.cache.room(channel);
            if scene.guild.is_none() {
                room.kind = RoomKind::Direct;
                if let Some(user) = &scene.user {
                    room.name.clone_from(&user.name);
                }
            }
            Arc::new(room)
        });
        let (user, member) = (scene.user.map(Arc::new), scene.member.map(Arc::new));
        Event { time: now, bot: self.bot.clone(), space, room, user, member, kind }
    }

    fn user_id(&self, id: u64) -> UserId {
        UserId::new(&self.bot.name, &id.to_string())
    }

    fn user(&self, user: &frames::User, locale: Option<&str>) -> User {
        User {
            id: self.user_id(user.id.get()),
            name: user.named().to_owned(),
            bot: user.bot.unwrap_or_default(),
            locale: locale.or(user.locale.as_deref()).map(ToOwned::to_owned),
            picture: user.picture(),
        }
    }

    /// Returns a user by id, with a placeholder if nothing else is known.
    fn user_by_id(&self, known: &Cache, id: u64) -> User {
        let unknown =
            || User { id: self.user_id(id), name: id.to_string(), bot: id == known.me, locale: None, picture: None };
        known.people.user(id).cloned().unwrap_or_else(unknown)
    }

    fn member(&self, known: &Cache, guild: u64, user: u64, member: &frames::Member, now: Millis) -> Member {
        let roles: Vec<_> = member.roles.iter().map(|role| role.get()).collect();
        let by_bits =
            member.permissions.as_deref().and_then(|bits| bits.parse().ok()).map(crate::cache::level_of_server);
        let by_roles = known.permission(guild, user, &roles);
        Member {
            user: self.user_id(user),
            roles: known.guilds.get(&guild).map(|guild| guild.role_names(&roles)).unwrap_or_default(),
            nickname: member.nick.clone().filter(|nick| !nick.is_empty()),
            muted: member.communication_disabled_until.as_deref().and_then(millis).is_some_and(|until| until > now),
            permission: Some(by_bits.map_or(by_roles, |level| level.max(by_roles))),
        }
    }

    /// Returns the scene of a user who does something in a channel, and caches their data.
    fn scene(
        &self,
        (guild, channel): (Id, Id),
        id: Id,
        user: Option<&frames::User>,
        member: Option<&frames::Member>,
        now: Millis,
    ) -> Scene {
        let mut known = self.cache.lock();
        let user = user.or_else(|| member.and_then(|member| member.user.as_ref()));
        let id = user.map_or(id, |user| user.id).get();
        let user = match user {
            Some(user) => {
                let (user, username) = (self.user(user, None), &user.username);
                known.people.saw(id, &user, username);
                user
            }
            None => self.user_by_id(&known, id),
        };
        let guild = guild.known().or_else(|| known.channels.get(&channel.get()).copied());
        let member = guild.and_then(|guild| match member {
            Some(member) => {
                let roles = &member.roles;
                let member = self.member(&known, guild, id, member, now);
                known.saw_member(guild, id, &member, roles);
                Some(member)
            }
            None => known.people.member(guild, id).cloned(),
        });
        Scene { guild, channel: channel.known(), user: Some(user), member }
    }
}

impl Id {
    fn deserialize_from(value: &Value) -> Option<Self> {
        serde::Deserialize::deserialize(value).ok()
    }
}

fn read<T: serde::de::DeserializeOwned>(data: &Value) -> Result<T, serde_json::Error> {
    T::deserialize(data)
}
