//! Private conversations of two accounts: rooms that nobody else can enter, list or read.

use palabre_text::skeleton;

use crate::accounts::rows::is_account_id;

/// The beginning of the names of such rooms.
pub(crate) const PREFIX: &str = "private:";

/// Returns the name of the room of two accounts, the same for both.
pub(crate) fn room_of(one: &str, other: &str) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{PREFIX}{first}:{second}")
}

/// Whether a room is a private conversation.
pub(crate) fn is_private(room: &str) -> bool {
    people(room).is_some()
}

/// Whether a name looks like that of a private conversation without being one.
pub(crate) fn is_imitation(room: &str) -> bool {
    !is_private(room) && skeleton(room).starts_with(&skeleton(PREFIX))
}

/// Whether an account, or a guest, may enter and read a room.
pub(crate) fn may_enter(room: &str, account: Option<&str>) -> bool {
    people(room).is_none_or(|people| account.is_some_and(|account| people.contains(&account)))
}

/// Returns the account with which another one has a private conversation.
pub(crate) fn other_person<'r>(room: &'r str, own: &str) -> Option<&'r str> {
    people(room)?.into_iter().find(|person| *person != own)
}

/// Returns the two accounts of a private conversation. Only one name of a room is one.
fn people(room: &str) -> Option<[&str; 2]> {
    let (first, second) = room.strip_prefix(PREFIX)?.split_once(':')?;
    (is_account_id(first) && is_account_id(second) && first < second).then_some([first, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_two_people_may_enter_a_private_conversation() {
        let [a, b, c] = ["000000000000000a", "000000000000000b", "000000000000000c"];
        let room = room_of(b, a);
        assert_eq!(room, room_of(a, b));
        assert!(is_private(&room) && may_enter(&room, Some(a)) && may_enter(&room, Some(b)));
        assert!(!may_enter(&room, Some(c)) && !may_enter(&room, None));
        assert!(may_enter("general", None) && !is_imitation("general"));
        for other in [format!("private:{b}:{a}"), format!("private:{a}"), format!("{room}:{c}"), room.to_uppercase()] {
            assert!(!is_private(&other) && is_imitation(&other), "{other}");
        }
    }
}
