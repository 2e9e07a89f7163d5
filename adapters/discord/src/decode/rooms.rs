//! Decodes servers, roles and channels.

use std::sync::Arc;

use palabre_types::{EventKind, Millis, Room};

use super::{Decoded, Decoder, Scene};
use crate::cache::{Channel, GuildRow, Role};
use crate::frames;

impl Decoder {
    /// Caches a server, which is sent at the start of each session and when the bot joins it.
    pub(super) fn guild_create(&self, frame: &frames::Guild, now: Millis) -> Decoded {
        if frame.unavailable {
            return Decoded::default();
        }
        let (id, mut row) = (frame.id.get(), GuildRow::of(frame));
        let mut known = self.cache.lock();
        row.staff = known.guilds.get(&id).map(|before| before.staff.clone()).unwrap_or_default();
        let is_news = known.guilds.get(&id) != Some(&row);
        known.put(id, row);
        for member in &frame.members {
            if let Some(user) = &member.user {
                let (user_id, named) = (user.id.get(), self.user(user, None));
                known.people.saw(user_id, &named, &user.username);
                let roles = &member.roles;
                let member = self.member(&known, id, user_id, member, now);
                known.saw_member(id, user_id, &member, roles);
            }
        }
        for presence in &frame.presences {
            let is_online = presence.status.as_deref().is_some_and(|status| status != "offline");
            known.people.is_online(presence.user.id.get(), is_online);
        }
        for voice in &frame.voice_states {
            known.people.in_voice(id, voice.user_id.get(), voice.channel_id.known());
        }
        Decoded { events: Vec::new(), changed: if is_news { vec![id] } else { Vec::new() } }
    }

    pub(super) fn guild_update(&self, frame: &frames::Guild) -> Option<Decoded> {
        let mut known = self.cache.lock();
        let row = known.guilds.get_mut(&frame.id.get())?;
        let (channels, staff) = (std::mem::take(&mut row.channels), std::mem::take(&mut row.staff));
        *row = GuildRow { channels, staff, ..GuildRow::of(frame) };
        Some(Decoded { events: Vec::new(), changed: vec![frame.id.get()] })
    }

    /// Removes a server that the bot has left and returns its id; an outage changes nothing.
    pub(super) fn guild_delete(&self, frame: &frames::Partial) -> Option<u64> {
        if frame.unavailable {
            return None;
        }
        let id = frame.id.get();
        let name = self.cache.lock().guilds.get(&id).map(|guild| guild.name.clone()).unwrap_or_default();
        tracing::warn!(bot = %self.bot.name, guild = id, "the bot was removed from the server \"{name}\"");
        self.cache.lock().remove(id);
        Some(id)
    }

    pub(super) fn role(&self, name: &str, frame: &frames::RoleChange) -> Vec<u64> {
        let guild = frame.guild_id.get();
        let mut known = self.cache.lock();
        let Some(row) = known.guilds.get_mut(&guild) else { return Vec::new() };
        if name == "GUILD_ROLE_DELETE" {
            row.roles.remove(&frame.role_id.get());
        } else {
            row.roles.insert(frame.role.id.get(), Role::of(&frame.role));
        }
        vec![guild]
    }

    pub(super) fn channel_create(&self, frame: &frames::Channel, now: Millis) -> Decoded {
        let Some((before, changed)) = self.keep(frame) else { return Decoded::default() };
        // Discord announces a thread that the bot is added to like a new one.
        if before.is_some() || (Channel::of(frame).is_thread() && frame.newly_created == Some(false)) {
            return Decoded { events: Vec::new(), changed };
        }
        let event = self.event(place(frame), EventKind::RoomCreate, now);
        Decoded { events: vec![event], changed }
    }

    pub(super) fn channel_update(&self, frame: &frames::Channel, now: Millis) -> Decoded {
        let Some((before, changed)) = self.keep(frame) else { return Decoded::default() };
        let event = self.event(place(frame), EventKind::RoomUpdate { before }, now);
        Decoded { events: vec![event], changed }
    }

    pub(super) fn channel_delete(&self, frame: &frames::Channel, now: Millis) -> Decoded {
        let id = frame.id.get();
        let room = self.cache.room(id);
        let mut known = self.cache.lock();
        let Some(guild) = known.channels.remove(&id).or(frame.guild_id.known()) else { return Decoded::default() };
        let row = known.guilds.get_mut(&guild).and_then(|guild| guild.channels.remove(&id));
        drop(known);
        let before = row.map(|_| room.clone());
        let mut event =
            self.event(Scene { guild: Some(guild), ..Scene::default() }, EventKind::RoomDelete { before }, now);
        event.room = Some(Arc::new(room));
        Decoded { events: vec![event], changed: vec![guild] }
    }

    pub(super) fn threads(&self, frame: &frames::Threads) -> Decoded {
        let guild = frame.guild_id.get();
        let mut known = self.cache.lock();
        for thread in &frame.threads {
            known.channels.insert(thread.id.get(), guild);
            if let Some(row) = known.guilds.get_mut(&guild) {
                row.channels.insert(thread.id.get(), Channel::of(thread));
            }
        }
        Decoded { events: Vec::new(), changed: vec![guild] }
    }

    pub(super) fn invite(&self, frame: &frames::Invite, now: Millis) -> Decoded {
        let inviter = frame.inviter.as_ref();
        let id = inviter.map(|user| user.id).unwrap_or_default();
        let mut scene = self.scene((frame.guild_id, frame.channel_id), id, inviter, None, now);
        if inviter.is_none() {
            scene.user = None;
        }
        let by = scene.user.as_ref().map(|user| user.id.clone());
        self.event(scene, EventKind::Invite { code: Some(frame.code.clone()), by }, now).into()
    }

    /// Caches a channel, and returns the room as it was before and the server that has changed.
    fn keep(&self, frame: &frames::Channel) -> Option<(Option<Room>, Vec<u64>)> {
        let (id, guild) = (frame.id.get(), frame.guild_id.known()?);
        let is_known = self.cache.lock().channel(id).is_some();
        let before = is_known.then(|| self.cache.room(id));
        let mut known = self.cache.lock();
        known.channels.insert(id, guild);
        if let Some(row) = known.guilds.get_mut(&guild) {
            row.channels.insert(id, Channel::of(frame));
        }
        Some((before, vec![guild]))
    }
}

fn place(frame: &frames::Channel) -> Scene {
    Scene { guild: frame.guild_id.known(), channel: frame.id.known(), ..Scene::default() }
}
