//! People who were seen lately.

use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_model::{Member, User};

/// So many members and presences are remembered.
const MOST: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();

/// People who were seen lately, and what they were in which server.
pub(crate) struct Seen {
    users: LruCache<u64, User>,
    members: LruCache<(u64, u64), Member>,
    online: LruCache<u64, bool>,
    voice: LruCache<(u64, u64), u64>,
}

impl Default for Seen {
    fn default() -> Self {
        let (users, members) = (LruCache::new(MOST), LruCache::new(MOST));
        Self { users, members, online: LruCache::new(MOST), voice: LruCache::new(MOST) }
    }
}

impl Seen {
    pub(crate) fn saw(&mut self, id: u64, user: &User) {
        if self.users.get(&id) != Some(user) {
            self.users.put(id, user.clone());
        }
    }

    /// Remembers a member; what they were before.
    pub(crate) fn saw_member(&mut self, guild: u64, user: u64, member: &Member) -> Option<Member> {
        match self.members.get(&(guild, user)) {
            Some(before) if before == member => Some(before.clone()),
            _ => self.members.put((guild, user), member.clone()),
        }
    }

    pub(crate) fn user(&self, id: u64) -> Option<&User> {
        self.users.peek(&id)
    }

    pub(crate) fn member(&self, guild: u64, user: u64) -> Option<&Member> {
        self.members.peek(&(guild, user))
    }

    /// What somebody is in whichever server they were seen in last.
    pub(crate) fn member_anywhere(&self, user: u64) -> Option<&Member> {
        self.members.iter().find(|((_, id), _)| *id == user).map(|(_, member)| member)
    }

    /// Whoever has that name, or that nickname in some server.
    pub(crate) fn named(&self, name: &str) -> Option<&User> {
        let wanted = name.to_lowercase();
        let by_name = self.users.iter().find(|(_, user)| user.name.to_lowercase() == wanted).map(|(_, user)| user);
        by_name.or_else(|| {
            let is_called =
                |member: &Member| member.nickname.as_ref().is_some_and(|nick| nick.to_lowercase() == wanted);
            let ((_, id), _) = self.members.iter().find(|(_, member)| is_called(member))?;
            self.users.peek(id)
        })
    }

    /// Notes whether somebody is online; whether that has changed.
    pub(crate) fn is_online(&mut self, user: u64, online: bool) -> bool {
        self.online.put(user, online).unwrap_or(false) != online
    }

    /// Notes the voice channel that somebody is in; the one before.
    pub(crate) fn in_voice(&mut self, guild: u64, user: u64, channel: Option<u64>) -> Option<u64> {
        match channel {
            Some(channel) => self.voice.put((guild, user), channel),
            None => self.voice.pop(&(guild, user)),
        }
    }
}
