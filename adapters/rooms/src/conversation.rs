//! Rooms that nobody but their people can enter, list or read.
//!
//! A private conversation is of two accounts, and scripts do not see it. A session is of one person
//! and the bots, which receive its events and answer there.

use palabre_text::skeleton;

use crate::accounts::rows::{is_account_id, is_hexadecimal};

/// The beginning of the names of private conversations.
pub(crate) const CONVERSATION_PREFIX: &str = "private:";
/// The beginning of the names of sessions.
pub(crate) const SESSION_PREFIX: &str = "session:";
/// The first part of the ids of sessions without an account.
const GUEST: &str = "guest";
/// Length of the random part of a session's id: 128 bits in hexadecimal.
const SECRET_LENGTH: usize = 32;

/// The person whom a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionOwner<'a> {
    /// The account with this id.
    Account(&'a str),
    /// A person without an account: everybody who knows the id of the session.
    Guest,
}

/// Returns the name of the room of two accounts, the same for both.
pub(crate) fn room_of(one: &str, other: &str) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{CONVERSATION_PREFIX}{first}:{second}")
}

/// Returns a session's id: of an account, or of a guest if there is none. `secret` has 32 hexadecimal digits.
pub(crate) fn session_id(account: Option<&str>, secret: &str) -> String {
    format!("{}-{secret}", account.unwrap_or(GUEST))
}

/// Returns the name of the room of a session.
pub(crate) fn room_of_session(id: &str) -> String {
    format!("{SESSION_PREFIX}{id}")
}

/// Returns the beginning of the names of all sessions of an account.
pub(crate) fn sessions_of(account: &str) -> String {
    format!("{SESSION_PREFIX}{account}-")
}

/// Returns the id of the session that a room is, if it is one.
pub(crate) fn session_of_room(room: &str) -> Option<&str> {
    room.strip_prefix(SESSION_PREFIX).filter(|id| session_owner(id).is_some())
}

/// Returns the owner of a session by its id, or `None` if the text is not such an id.
pub(crate) fn session_owner(id: &str) -> Option<SessionOwner<'_>> {
    let (owner, secret) = id.split_once('-')?;
    if secret.len() != SECRET_LENGTH || !is_hexadecimal(secret) {
        return None;
    }
    match owner {
        GUEST => Some(SessionOwner::Guest),
        account => is_account_id(account).then_some(SessionOwner::Account(account)),
    }
}

/// Whether a room is a private conversation of two accounts. Scripts do not see it.
pub(crate) fn is_conversation(room: &str) -> bool {
    people(room).is_some()
}

/// Whether a room is a session of one person and the bots.
pub(crate) fn is_session(room: &str) -> bool {
    session_of_room(room).is_some()
}

/// Whether a room is in no list, no statistics and no address that others can guess.
pub(crate) fn is_hidden(room: &str) -> bool {
    is_conversation(room) || is_session(room)
}

/// Whether a name looks like that of a private conversation or a session without being one.
pub(crate) fn is_imitation(room: &str) -> bool {
    let shape = skeleton(room);
    let imitates = |prefix: &str| shape.starts_with(&skeleton(prefix));
    !is_hidden(room) && (imitates(CONVERSATION_PREFIX) || imitates(SESSION_PREFIX))
}

/// Whether an account, or a guest, may enter and read a room.
pub(crate) fn may_enter(room: &str, account: Option<&str>) -> bool {
    if let Some(people) = people(room) {
        return account.is_some_and(|account| people.contains(&account));
    }
    match session_of_room(room).and_then(session_owner) {
        Some(SessionOwner::Account(owner)) => account == Some(owner),
        Some(SessionOwner::Guest) | None => true,
    }
}

/// Whether a private conversation or a session is one of an account.
pub(crate) fn belongs_to(room: &str, account: &str) -> bool {
    let is_owner = || session_of_room(room).and_then(session_owner) == Some(SessionOwner::Account(account));
    people(room).is_some_and(|people| people.contains(&account)) || is_owner()
}

/// Returns the account with which another one has a private conversation.
pub(crate) fn other_person<'r>(room: &'r str, own: &str) -> Option<&'r str> {
    people(room)?.into_iter().find(|person| *person != own)
}

/// Returns the two accounts of a private conversation. Only one name of a room is one.
pub(crate) fn people(room: &str) -> Option<[&str; 2]> {
    let (first, second) = room.strip_prefix(CONVERSATION_PREFIX)?.split_once(':')?;
    (is_account_id(first) && is_account_id(second) && first < second).then_some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_session_of_a_guest_belongs_to_no_account() {
        let (account, other) = ("000000000000000a", "000000000000000b");
        let guest = room_of_session(&format!("guest-{SECRET}"));
        let own = room_of_session(&format!("{account}-{SECRET}"));
        assert!(may_enter(&guest, Some(account)) && !belongs_to(&guest, account));
        assert!(belongs_to(&own, account) && !belongs_to(&own, other));
        assert!(belongs_to(&room_of(account, other), other) && !belongs_to("general", account));
    }

    #[test]
    fn only_its_two_people_may_enter_a_private_conversation() {
        let [a, b, c] = ["000000000000000a", "000000000000000b", "000000000000000c"];
        let room = room_of(b, a);
        assert_eq!(room, room_of(a, b));
        assert!(is_conversation(&room) && is_hidden(&room) && !is_session(&room));
        assert!(may_enter(&room, Some(a)) && may_enter(&room, Some(b)));
        assert!(!may_enter(&room, Some(c)) && !may_enter(&room, None));
        assert!(may_enter("general", None) && !is_imitation("general") && !is_hidden("general"));
        for other in [format!("private:{b}:{a}"), format!("private:{a}"), format!("{room}:{c}"), room.to_uppercase()] {
            assert!(!is_conversation(&other) && is_imitation(&other), "{other}");
        }
    }

    #[test]
    fn a_session_of_an_account_is_for_that_account_and_one_of_a_guest_for_its_holder() {
        let [a, b] = ["000000000000000a", "000000000000000b"];
        let own = room_of_session(&session_id(Some(a), SECRET));
        assert!(own.starts_with(&sessions_of(a)) && is_session(&own) && is_hidden(&own) && !is_conversation(&own));
        assert!(may_enter(&own, Some(a)) && !may_enter(&own, Some(b)) && !may_enter(&own, None));
        let guest = room_of_session(&session_id(None, SECRET));
        assert!(is_session(&guest) && may_enter(&guest, None) && may_enter(&guest, Some(a)));
        assert!(!is_imitation(&own) && !is_imitation(&guest));
        for other in [format!("session:{a}"), format!("session:guest-{a}"), own.to_uppercase(), format!("{guest}0")] {
            assert!(!is_session(&other) && is_imitation(&other), "{other}");
        }
    }
}
