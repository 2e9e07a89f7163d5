//! Users who were seen recently, and the administrators of chats.

pub(super) mod seen;

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;
use palabre_types::{Batch, BotName, Member, Millis, Permission, Rank, User, UserId};
use tokio::time::{Duration, Instant};

use crate::frames::Membership;

use seen::{PEOPLE_MAX, Seen, UserRow};

/// Maximum age of a list of administrators: a bot is told of changes only if it is one itself.
const ADMINS_AGE_MAX: Duration = Duration::from_secs(600);
/// Time after which a list of administrators that was not available is requested again.
const ADMINS_RETRY_DELAY: Duration = Duration::from_secs(30);
/// Time within which a second report of the same join or leave is a repetition.
const REPETITION_WINDOW: Duration = Duration::from_secs(60);
/// Number of chats whose administrators are remembered.
const ADMIN_CHATS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// The rank of administrators: above members, who have 0, and below the owner.
const ADMIN_RANK: Rank = Rank(1);
/// The account in whose name anonymous administrators write.
pub(crate) const ANONYMOUS: i64 = 1_087_968_824;
/// The role of all administrators.
pub(crate) const ADMINISTRATOR: &str = "administrator";

/// Users, their memberships, and administrators.
pub(crate) struct People {
    seen: Seen,
    members: LruCache<(i64, i64), Member>,
    /// The last report of each join (true) or leave (false), and its time.
    presence: LruCache<(i64, i64), (bool, Instant)>,
    admins: LruCache<i64, Admins>,
}

/// The administrators of a chat.
#[derive(Debug, Clone)]
struct Admins {
    by_id: HashMap<i64, Standing>,
    read: Instant,
    /// Whether Telegram has ever sent the list.
    is_received: bool,
}

/// The permission, the title and the rank of an administrator.
#[derive(Debug, Clone)]
struct Standing {
    permission: Permission,
    title: String,
    rank: Rank,
}

impl Default for People {
    fn default() -> Self {
        Self {
            seen: Seen::default(),
            members: LruCache::new(PEOPLE_MAX),
            presence: LruCache::new(PEOPLE_MAX),
            admins: LruCache::new(ADMIN_CHATS_MAX),
        }
    }
}

impl People {
    /// Remembers stored users, with the groups in which they were seen.
    pub(super) fn restore(&mut self, bot: &BotName, users: Vec<(i64, UserRow)>) {
        for (id, row) in users {
            let user_id = UserId::new(bot, &id.to_string());
            for chat in &row.chats {
                self.members.get_or_insert((*chat, id), || plain_member(&user_id));
            }
            self.seen.restore(id, user_id, row);
        }
    }

    /// Adds new and changed users to `rows`, and deletes those that were evicted.
    pub(super) fn keep(&mut self, rows: &mut Batch, bot: &BotName, now: Millis) {
        self.seen.keep(rows, bot, now);
    }

    pub(crate) fn saw(&mut self, id: i64, user: &User, username: Option<&str>) {
        self.seen.saw(id, user, username);
    }

    pub(crate) fn user(&self, id: i64) -> Option<&User> {
        self.seen.user(id)
    }

    /// Finds a user by username, or by a name that is unique in a chat or among all users.
    pub(crate) fn named(&self, chat: Option<i64>, name: &str) -> Option<&User> {
        let wanted = name.to_lowercase();
        if let Some(user) = self.seen.with_username(&wanted) {
            return Some(user);
        }
        // A name of several users is ambiguous.
        let is_here = |id: i64| chat.is_none_or(|chat| self.members.contains(&(chat, id)));
        let mut of_name = self.seen.users().filter(|(id, user)| user.name.to_lowercase() == wanted && is_here(*id));
        of_name.next().filter(|_| of_name.next().is_none()).map(|(_, user)| user)
    }

    /// Records a join or leave. Returns false for a repetition, which administrators get of each.
    pub(crate) fn is_news(&mut self, chat: i64, user: i64, is_in: bool) -> bool {
        let now = Instant::now();
        let before = self.presence.put((chat, user), (is_in, now));
        before.is_none_or(|(was_in, when)| was_in != is_in || now > when + REPETITION_WINDOW)
    }

    /// Returns the member of a chat, as far as it is known.
    pub(crate) fn member(&self, chat: i64, user: i64, id: &UserId) -> Member {
        let known = self.members.peek(&(chat, user)).cloned();
        let mut member = known.unwrap_or_else(|| plain_member(id));
        if let Some(standing) = self.admins.peek(&chat).and_then(|admins| admins.by_id.get(&user)) {
            member.permission = Some(standing.permission);
            member.roles = roles(&standing.title);
        }
        member
    }

    /// Returns the member of a chat, if the user was seen there.
    pub(crate) fn known_member(&self, chat: i64, user: i64, id: &UserId) -> Option<Member> {
        let is_admin = || self.admins.peek(&chat).is_some_and(|admins| admins.by_id.contains_key(&user));
        (self.members.contains(&(chat, user)) || is_admin()).then(|| self.member(chat, user, id))
    }

    /// Records that a user was seen in a chat, with the tag of their message.
    pub(crate) fn seen_with_tag(&mut self, chat: i64, user: i64, id: &UserId, tag: Option<&str>) {
        self.seen.is_in(chat, user);
        let member = self.members.get_or_insert_mut((chat, user), || plain_member(id));
        let roles = tags(tag);
        if member.roles != roles {
            member.roles = roles;
        }
    }

    /// Records a changed membership.
    pub(crate) fn set_membership(&mut self, chat: i64, id: &UserId, membership: &Membership) {
        let user = membership.user.id;
        if let Some(admins) = self.admins.get_mut(&chat) {
            match level(membership) {
                Some(level) => drop(admins.by_id.insert(user, level)),
                None => drop(admins.by_id.remove(&user)),
            }
        }
        self.seen.is_in(chat, user);
        let tag = tags(membership.tag.as_deref());
        let member = Member { roles: tag, muted: membership.is_muted(), ..plain_member(id) };
        self.members.put((chat, user), member);
    }

    pub(crate) fn set_admins(&mut self, chat: i64, members: &[Membership]) {
        let by_id = members.iter().filter_map(|one| Some((one.user.id, level(one)?))).collect();
        self.admins.put(chat, Admins { by_id, read: Instant::now(), is_received: true });
    }

    /// Returns the rank of a user in a chat, if its administrators are known.
    pub(crate) fn rank(&self, chat: i64, user: i64) -> Option<Rank> {
        // Only administrators write in the name of the chat itself.
        if user == chat || user == ANONYMOUS {
            return Some(ADMIN_RANK);
        }
        let admins = self.admins.peek(&chat).filter(|admins| admins.is_received)?;
        Some(admins.by_id.get(&user).map_or(Rank(0), |standing| standing.rank))
    }

    /// Whether the list of administrators has to be requested.
    pub(crate) fn needs_admins(&self, chat: i64) -> bool {
        self.admins.peek(&chat).is_none_or(|admins| admins.read + ADMINS_AGE_MAX < Instant::now())
    }

    /// Schedules a new request for the list of administrators. A known list stays valid until then.
    pub(crate) fn retry_admins_later(&mut self, chat: i64) {
        let known = self.admins.pop(&chat);
        let is_received = known.as_ref().is_some_and(|admins| admins.is_received);
        let by_id = known.map(|admins| admins.by_id).unwrap_or_default();
        let age = ADMINS_AGE_MAX.saturating_sub(ADMINS_RETRY_DELAY);
        let read = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        self.admins.put(chat, Admins { by_id, read, is_received });
    }

    /// Whether there is any list of administrators.
    pub(crate) fn has_admins(&self, chat: i64) -> bool {
        self.admins.contains(&chat)
    }
}

/// Converts a membership into a member.
pub(crate) fn member(id: &UserId, membership: &Membership) -> Member {
    let member = Member { muted: membership.is_muted(), ..plain_member(id) };
    match level(membership) {
        Some(standing) => Member { permission: Some(standing.permission), roles: roles(&standing.title), ..member },
        None => Member { roles: tags(membership.tag.as_deref()), ..member },
    }
}

fn plain_member(id: &UserId) -> Member {
    Member { user: id.clone(), roles: Vec::new(), nickname: None, muted: false, permission: Some(Permission::Member) }
}

/// Returns a tag as a role.
///
/// People may tag themselves, so no tag makes anybody an administrator.
fn tags(tag: Option<&str>) -> Vec<String> {
    tag.filter(|tag| !tag.trim().eq_ignore_ascii_case(ADMINISTRATOR)).map(ToOwned::to_owned).into_iter().collect()
}

fn roles(title: &str) -> Vec<String> {
    // The role of all administrators, and their title.
    let mut roles = vec![ADMINISTRATOR.to_owned()];
    if !title.is_empty() {
        roles.push(title.to_owned());
    }
    roles
}

/// Returns the standing of an administrator; `None` for anybody else.
fn level(membership: &Membership) -> Option<Standing> {
    let (permission, rank) = match membership.status.as_str() {
        "creator" => (Permission::Admin, Rank::OWNER),
        "administrator" if membership.can_promote_members => (Permission::Admin, ADMIN_RANK),
        "administrator" if membership.can_restrict_members || membership.can_delete_messages => {
            (Permission::Moderator, ADMIN_RANK)
        }
        // An administrator without rights to moderate.
        "administrator" => (Permission::Member, ADMIN_RANK),
        _ => return None,
    };
    Some(Standing { permission, title: membership.custom_title.clone().unwrap_or_default(), rank })
}

#[cfg(test)]
mod tests {
    use palabre_store::{Snapshot, Store};

    use super::seen::PERSON_LIFETIME;
    use super::*;
    use crate::frames;

    const BOT: &str = "tg";

    fn user(id: i64, name: &str) -> User {
        let id = UserId::new(&BotName::from(BOT), &id.to_string());
        User { id, name: name.to_owned(), bot: false, locale: None, picture: None }
    }

    fn named(people: &People, name: &str) -> Option<String> {
        people.named(Some(-7), name).map(|user| user.id.native().to_owned())
    }

    fn restored(snapshot: &Snapshot) -> People {
        let bot = BotName::from(BOT);
        let mut people = People::default();
        people.restore(&bot, seen::read(snapshot, &bot).expect("the stored users"));
        people
    }

    fn membership(id: i64, status: &str) -> Membership {
        let user = frames::User { id, ..frames::User::default() };
        Membership { user, status: status.to_owned(), ..Membership::default() }
    }

    #[test]
    fn ranks_are_known_once_telegram_has_sent_the_administrators() {
        let mut people = People::default();
        people.retry_admins_later(-7);
        assert_eq!(people.rank(-7, 5), None);
        people.set_admins(-7, &[membership(5, "creator"), membership(6, "administrator")]);
        let ranks = [5, 6, 8, -7, ANONYMOUS].map(|id| people.rank(-7, id));
        assert_eq!(ranks, [Some(Rank::OWNER), Some(ADMIN_RANK), Some(Rank(0)), Some(ADMIN_RANK), Some(ADMIN_RANK)]);
        assert_eq!(people.rank(-8, 5), None);
        // Known administrators stay valid while the list is requested again, and changes apply.
        people.retry_admins_later(-7);
        people.set_membership(-7, &UserId::new(&BotName::from(BOT), "6"), &membership(6, "member"));
        assert_eq!((people.rank(-7, 5), people.rank(-7, 6)), (Some(Rank::OWNER), Some(Rank(0))));
    }

    #[test]
    fn a_username_belongs_to_the_user_who_was_seen_with_it_last() {
        let mut people = People::default();
        let (mallory, trent) = (user(5, "Mallory"), user(6, "Trent"));
        people.saw(5, &mallory, Some("Mallory"));
        assert_eq!(named(&people, "mallory").as_deref(), Some("5"));
        people.saw(6, &trent, Some("mallory"));
        assert_eq!(named(&people, "mallory").as_deref(), Some("6"));
        // A user is not found by a former username.
        people.saw(6, &trent, Some("trent"));
        assert_eq!((named(&people, "mallory"), named(&people, "TRENT").as_deref()), (None, Some("6")));
    }

    #[tokio::test]
    async fn seen_users_are_known_after_a_restart_until_they_expire() {
        let store = Store::in_memory().expect("an in-memory store");
        let bot = BotName::from(BOT);
        let mut people = People::default();
        let mallory = user(5, "Mallory M");
        people.saw(5, &mallory, Some("mallory"));
        people.seen_with_tag(-7, 5, &mallory.id, None);
        let mut rows = Batch::default();
        people.keep(&mut rows, &bot, 1_000);
        store.commit(rows).await.expect("the commit succeeds");
        let mut nothing = Batch::default();
        people.saw(5, &mallory, Some("mallory"));
        people.keep(&mut nothing, &bot, 2_000);
        assert!(nothing.is_empty(), "an unchanged user is not written again");
        for (now, found) in [(3_000, Some("5")), (1_001 + PERSON_LIFETIME, None)] {
            let restarted = restored(&store.snapshot(now).expect("a snapshot"));
            let by_names = (named(&restarted, "mallory"), named(&restarted, "mallory m"));
            assert_eq!((by_names.0.as_deref(), by_names.1.as_deref()), (found, found));
        }
    }
}
