//! Who and what there is on the simulated platform: members with their roles and measures, rooms with their settings.

use std::collections::BTreeMap;

use palabre_model::{Measure, Member, Millis, Permission, Rank, RoomChange, UserId};

/// Somebody who may not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Silenced {
    /// Muted.
    #[error("muted")]
    Muted,
    /// Banned.
    #[error("banned")]
    Banned,
    /// The room is locked.
    #[error("the room is locked")]
    Locked,
    /// The room is in slow mode.
    #[error("the room is in slow mode")]
    Slow,
}

/// A member as the platform has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberState {
    /// Names of roles.
    pub roles: Vec<String>,
    /// The name used here alone.
    pub nickname: Option<String>,
    /// What the platform lets them do.
    pub permission: Option<Permission>,
    /// How high they stand by the platform's own order, where the test says so.
    pub rank: Option<Rank>,
    /// `Some` while muted: until when, at the latest.
    pub muted_until: Option<Millis>,
    /// `Some` while banned: until when, at the latest.
    pub banned_until: Option<Millis>,
    /// How often they were made to leave.
    pub kicks: usize,
    /// Whether they, who asked to be let in, are; `None` while nobody has decided.
    pub approved: Option<bool>,
    last_said: BTreeMap<String, Millis>,
}

/// A room's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomState {
    /// What it is about.
    pub topic: Option<String>,
    /// How long everybody waits between two messages.
    pub slowmode: Millis,
    /// Only moderators may speak.
    pub locked: bool,
    /// How often the bot was seen typing.
    pub typings: usize,
    /// What it is called, where it is a thread.
    pub thread: Option<String>,
}

/// All members and rooms, by native id.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    /// How high the bot stands, where the test says so.
    pub(crate) bot_rank: Option<Rank>,
    pub(crate) members: BTreeMap<String, MemberState>,
    pub(crate) rooms: BTreeMap<String, RoomState>,
}

impl World {
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

    /// Whether somebody may speak now; if so, that they did is noted.
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

    /// A room's settings, to be changed.
    pub(crate) fn room(&mut self, name: &str) -> &mut RoomState {
        self.rooms.entry(name.to_owned()).or_default()
    }

    /// Opens a thread; its native id, which is its name unless another has that.
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
    /// Whether they may not speak at `now`.
    #[must_use]
    pub fn is_muted(&self, now: Millis) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }

    /// Whether they may not come back at `now`.
    #[must_use]
    pub fn is_banned(&self, now: Millis) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }
}
