//! Recently seen users and members.

use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_types::{Member, User};

/// The most entries of each cache of users, members and presences.
const PEOPLE_MAX: NonZeroUsize = NonZeroUsize::new(50_000).unwrap();

/// Recently seen users, and their data as members of servers.
pub(crate) struct PeopleCache {
    users: LruCache<u64, User>,
    /// User ids by username, which is unique. The names in `users` are display names.
    usernames: LruCache<String, u64>,
    members: LruCache<(u64, u64), Member>,
    /// The ids of members' roles.
    roles: LruCache<(u64, u64), Vec<u64>>,
    online: LruCache<u64, bool>,
    voice: LruCache<(u64, u64), u64>,
}

impl Default for PeopleCache {
    fn default() -> Self {
        Self {
            users: LruCache::new(PEOPLE_MAX),
            usernames: LruCache::new(PEOPLE_MAX),
            members: LruCache::new(PEOPLE_MAX),
            roles: LruCache::new(PEOPLE_MAX),
            online: LruCache::new(PEOPLE_MAX),
            voice: LruCache::new(PEOPLE_MAX),
        }
    }
}

impl PeopleCache {
    pub(crate) fn saw(&mut self, id: u64, user: &User, username: &str) {
        if !username.is_empty() && self.usernames.get(username) != Some(&id) {
            self.usernames.put(username.to_owned(), id);
        }
        if self.users.get(&id) != Some(user) {
            self.users.put(id, user.clone());
        }
    }

    /// Caches a member with the ids of their roles, and returns the member as cached before.
    pub(super) fn saw_member(&mut self, guild: u64, user: u64, member: &Member, roles: Vec<u64>) -> Option<Member> {
        self.roles.put((guild, user), roles);
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

    /// Returns the ids of a member's roles, if they were seen.
    pub(super) fn roles(&self, guild: u64, user: u64) -> Option<&Vec<u64>> {
        self.roles.peek(&(guild, user))
    }

    /// Returns the user with this username, or else the only one with this name or nickname.
    ///
    /// With a server, only its members are searched.
    pub(crate) fn named(&self, guild: Option<u64>, name: &str) -> Option<&User> {
        let wanted = name.to_lowercase();
        let is_here = |id: u64| guild.is_none_or(|guild| self.members.contains(&(guild, id)));
        // Usernames are in lower case.
        if let Some(id) = self.usernames.peek(&wanted).filter(|id| is_here(**id)) {
            return self.users.peek(id);
        }
        let nickname = |id: u64| self.members.peek(&(guild?, id))?.nickname.as_deref();
        let is_called = |id: u64, user: &User| {
            user.name.to_lowercase() == wanted || nickname(id).is_some_and(|nick| nick.to_lowercase() == wanted)
        };
        let mut called = self.users.iter().filter(|(id, user)| is_here(**id) && is_called(**id, user));
        called.next().filter(|_| called.next().is_none()).map(|(_, user)| user)
    }

    /// Records whether a user is online, and returns whether that has changed.
    pub(crate) fn is_online(&mut self, user: u64, online: bool) -> bool {
        self.online.put(user, online).unwrap_or(false) != online
    }

    /// Records the voice channel of a member, and returns the one before.
    pub(crate) fn in_voice(&mut self, guild: u64, user: u64, channel: Option<u64>) -> Option<u64> {
        match channel {
            Some(channel) => self.voice.put((guild, user), channel),
            None => self.voice.pop(&(guild, user)),
        }
    }
}
