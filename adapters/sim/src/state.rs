//! The state of the simulated platform: members with roles and measures, rooms with settings.

use std::collections::BTreeMap;

use palabre_types::{Measure, Member, Millis, Permission, Rank, RoomChange, UserId};

/// The reason why a user may not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Silenced {
    /// The user is muted.
    #[error("muted")]
    Muted,
    /// The user is banned.
    #[error("banned")]
    Banned,
    /// The room is locked.
    #[error("the room is locked")]
    Locked,
    /// The room is in slow mode.
    #[error("the room is in slow mode")]
    Slow,
}

/// The state of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberState {
    /// Names of roles.
    pub roles: Vec<String>,
    /// The name in this space.
    pub nickname: Option<String>,
    /// The permission level; a plain member's, if none is set.
    pub permission: Option<Permission>,
    /// The rank in the platform's hierarchy, if a test has set it.
    pub rank: Option<Rank>,
    /// `Some` after a mute: its end, or `Millis::MAX`.
    pub muted_until: Option<Millis>,
    /// `Some` after a ban: its end, or `Millis::MAX`.
    pub banned_until: Option<Millis>,
    /// The number of kicks.
    pub kicks: usize,
    /// The answer to a request to join; `None` while there is none.
    pub approved: Option<bool>,
    last_said: BTreeMap<String, Millis>,
}

/// A room's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomState {
    /// The topic.
    pub topic: Option<String>,
    /// The time that a user has to wait between two messages.
    pub slowmode: Millis,
    /// Whether only moderators may speak.
    pub locked: bool,
    /// The number of times that the bot was typing.
    pub typings: usize,
    /// The title, if the room is a thread.
    pub thread: Option<String>,
}

/// All members and rooms, by native id.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlatformState {
    /// The bot's rank, if a test has set it.
    pub(crate) bot_rank: Option<Rank>,
    pub(crate) members: BTreeMap<String, MemberState>,
    pub(crate) rooms: BTreeMap<String, RoomState>,
}

impl PlatformState {
    pub(crate) fn member(&self, user: &UserId, now: Millis) -> Member {
        let state = self.members.get(user.native()).cloned().unwrap_or_default();
        Member {
            user: user.clone(),
            muted: state.is_muted(now),
            roles: state.roles,
            nickname: state.nickname,
            permission: Some(state.permission.unwrap_or(Permission::Member)),
        }
    }

    /// Checks that a user may speak now, and records it if so.
    pub(crate) fn speaks(&mut self, user: &str, room: &str, now: Millis) -> Result<(), Silenced> {
        let state = self.rooms.get(room).cloned().unwrap_or_default();
        let member = self.members.entry(user.to_owned()).or_default();
        let is_moderator = member.permission >= Some(Permission::Moderator);
        if member.is_banned(now) {
            return Err(Silenced::Banned);
        }
        if member.is_muted(now) {
            return Err(Silenced::Muted);
        }
        if state.locked && !is_moderator {
            return Err(Silenced::Locked);
        }
        let next = member.last_said.get(room).map(|last| last.saturating_add(state.slowmode));
        if state.slowmode > 0 && !is_moderator && next.is_some_and(|next| now < next) {
            return Err(Silenced::Slow);
        }
        member.last_said.insert(room.to_owned(), now);
        Ok(())
    }

    pub(crate) fn moderate(&mut self, user: &str, measure: &Measure) {
        let member = self.members.entry(user.to_owned()).or_default();
        match measure {
            Measure::Mute { until } => member.muted_until = Some(until.unwrap_or(Millis::MAX)),
            Measure::Unmute => member.muted_until = None,
            Measure::Kick => member.kicks += 1,
            Measure::Ban { until, .. } => member.banned_until = Some(until.unwrap_or(Millis::MAX)),
            Measure::Unban => member.banned_until = None,
            Measure::AddRole(role) if member.roles.contains(role) => {}
            Measure::AddRole(role) => member.roles.push(role.clone()),
            Measure::RemoveRole(role) => member.roles.retain(|other| other != role),
            Measure::Rename(name) => member.nickname = (!name.is_empty()).then(|| name.clone()),
        }
    }

    /// Returns a room's settings, for changing them.
    pub(crate) fn room(&mut self, name: &str) -> &mut RoomState {
        self.rooms.entry(name.to_owned()).or_default()
    }

    /// Creates a thread, and returns its native id: its name, with a number if that is taken.
    pub(crate) fn open_thread(&mut self, name: &str) -> String {
        let others = (2..).map(|number| format!("{name}-{number}"));
        let free = std::iter::once(name.to_owned()).chain(others).find(|id| !self.rooms.contains_key(id));
        // There is always another number.
        let id = free.unwrap_or_default();
        self.room(&id).thread = Some(name.to_owned());
        id
    }

    pub(crate) fn arrange(&mut self, room: &str, change: &RoomChange) {
        let room = self.room(room);
        match change {
            RoomChange::Topic(topic) => room.topic = (!topic.is_empty()).then(|| topic.clone()),
            RoomChange::Slowmode(pause) => room.slowmode = *pause,
            RoomChange::Locked(locked) => room.locked = *locked,
        }
    }
}

impl MemberState {
    /// Whether the member may not speak at `now`.
    #[must_use]
    pub fn is_muted(&self, now: Millis) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }

    /// Whether the member may not return at `now`.
    #[must_use]
    pub fn is_banned(&self, now: Millis) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }
}
