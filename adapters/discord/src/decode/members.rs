//! Decodes joins, leaves, bans and changes of members, with their authors from the audit log.

use palabre_types::{EventKind, Millis, User};

use super::{Decoded, Decoder, Scene};
use crate::cache::Audited;
use crate::frames::{self, Id};

/// The types of audit-log entries.
///
/// <https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-audit-log-events>
const KICKED: u16 = 20;
const BANNED: u16 = 22;
const UNBANNED: u16 = 23;
pub(super) const DELETED: u16 = 72;

impl Decoder {
    pub(super) fn join(&self, frame: &frames::Membership, now: Millis) -> Decoded {
        let scene = self.membership(frame, now);
        self.event(scene, EventKind::Join { by: None, reason: None }, now).into()
    }

    pub(super) fn leave(&self, frame: &frames::Membership, now: Millis) -> Decoded {
        let guild = frame.guild_id.get();
        let mut scene = self.of_guild(guild, &frame.user);
        scene.member = self.cache.lock().people.member(guild, frame.user.id.get()).cloned();
        let (by, reason) = self.done_by(guild, frame.user.id.get(), KICKED, now);
        self.event(scene, EventKind::Leave { by, reason }, now).into()
    }

    pub(super) fn member_update(&self, frame: &frames::Membership, now: Millis) -> Decoded {
        let before = self.cache.lock().people.member(frame.guild_id.get(), frame.user.id.get()).cloned();
        let scene = self.membership(frame, now);
        if before.is_some() && before == scene.member {
            return Decoded::default();
        }
        self.event(scene, EventKind::MemberUpdate { before }, now).into()
    }

    pub(super) fn ban(&self, frame: &frames::Ban, is_banned: bool, now: Millis) -> Decoded {
        let guild = frame.guild_id.get();
        let scene = self.of_guild(guild, &frame.user);
        let what = if is_banned { BANNED } else { UNBANNED };
        let (by, reason) = self.done_by(guild, frame.user.id.get(), what, now);
        let kind = if is_banned { EventKind::Ban { by, reason } } else { EventKind::Unban { by, reason } };
        self.event(scene, kind, now).into()
    }

    pub(super) fn typing(&self, frame: &frames::Typing, now: Millis) -> Decoded {
        let scene = self.scene((frame.guild_id, frame.channel_id), frame.user_id, None, frame.member.as_ref(), now);
        if scene.user.as_ref().is_some_and(|user| user.bot) {
            return Decoded::default();
        }
        self.event(scene, EventKind::Typing { status: Some("typing".to_owned()) }, now).into()
    }

    /// Decodes a user's presence, and emits the start or end of it if it has changed.
    ///
    /// Several servers may send the presence of one user.
    pub(super) fn presence(&self, frame: &frames::Presence, now: Millis) -> Decoded {
        let status = frame.status.clone().unwrap_or_else(|| "offline".to_owned());
        let is_online = status != "offline";
        let scene = || self.scene((frame.guild_id, Id::default()), frame.user.id, None, None, now);
        let has_changed = self.cache.lock().people.is_online(frame.user.id.get(), is_online);
        let mut events = Vec::new();
        if has_changed {
            let kind = if is_online { EventKind::Connect } else { EventKind::Disconnect { reason: None } };
            events.push(self.event(scene(), kind, now));
        }
        events.push(self.event(scene(), EventKind::Presence { status: Some(status) }, now));
        Decoded { events, changed: Vec::new() }
    }

    pub(super) fn voice(&self, frame: &frames::Voice, now: Millis) -> Decoded {
        let (guild, channel) = (frame.guild_id.get(), frame.channel_id.known());
        let before = self.cache.lock().people.in_voice(guild, frame.user_id.get(), channel);
        let status = match (before, channel) {
            (None, Some(_)) => "joined",
            (_, None) => "left",
            (Some(before), Some(channel)) if before != channel => "moved",
            _ if frame.self_mute || frame.mute => "muted",
            _ if frame.self_deaf || frame.deaf => "deafened",
            _ => "changed",
        };
        let mut scene = self.scene((frame.guild_id, frame.channel_id), frame.user_id, None, frame.member.as_ref(), now);
        scene.channel = channel.or(before);
        self.event(scene, EventKind::Voice { status: Some(status.to_owned()) }, now).into()
    }

    /// Records an audit-log entry for the event that it belongs to.
    pub(crate) fn audit(&self, frame: &frames::Audit, now: Millis) {
        let mut known = self.cache.lock();
        let by = self.user_by_id(&known, frame.user_id.get());
        let (guild, target) = (frame.guild_id.get(), frame.target_id.get());
        known.audit.push(Audited { guild, target, what: frame.action_type, by, reason: frame.reason.clone(), at: now });
    }

    /// Returns the recent audit-log entry of an event, and removes it unless it covers several.
    pub(super) fn audited(&self, guild: u64, target: u64, what: u16, now: Millis) -> Option<Audited> {
        let mut known = self.cache.lock();
        if what == DELETED {
            known.audit.find(guild, target, what, now).cloned()
        } else {
            known.audit.take(guild, target, what, now)
        }
    }

    fn done_by(&self, guild: u64, target: u64, what: u16, now: Millis) -> (Option<User>, Option<String>) {
        let audited = self.audited(guild, target, what, now);
        audited.map_or((None, None), |entry| (Some(entry.by), entry.reason))
    }

    fn membership(&self, frame: &frames::Membership, now: Millis) -> Scene {
        let guild = frame.guild_id.get();
        let mut scene = self.of_guild(guild, &frame.user);
        let mut known = self.cache.lock();
        let member = self.member(&known, guild, frame.user.id.get(), &frame.member, now);
        known.saw_member(guild, frame.user.id.get(), &member, &frame.member.roles);
        scene.member = Some(member);
        scene
    }

    /// Returns the scene of an event in a server without a channel.
    ///
    /// It can be answered where Discord itself announces such events.
    fn of_guild(&self, guild: u64, user: &frames::User) -> Scene {
        let user_of = self.user(user, None);
        let mut known = self.cache.lock();
        known.people.saw(user.id.get(), &user_of, &user.username);
        let channel = known.guilds.get(&guild).and_then(|row| row.front());
        Scene { guild: Some(guild), channel, user: Some(user_of), member: None }
    }
}
