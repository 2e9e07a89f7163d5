//! Private conversations of two accounts: rooms that nobody else can enter, list or read.

/// The beginning of the names of such rooms.
const PREFIX: &str = "private:";

/// Returns the name of the room of two accounts, the same for both.
pub(crate) fn room_of(one: &str, other: &str) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{PREFIX}{first}:{second}")
}

/// Whether a room is a private conversation.
pub(crate) fn is_private(room: &str) -> bool {
    room.starts_with(PREFIX)
}

/// Whether an account, or a guest, may enter and read a room.
pub(crate) fn may_enter(room: &str, account: Option<&str>) -> bool {
    let Some(people) = room.strip_prefix(PREFIX) else { return true };
    let Some((first, second)) = people.split_once(':') else { return false };
    account.is_some_and(|account| account == first || account == second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_two_people_may_enter_a_private_conversation() {
        let room = room_of("b", "a");
        assert_eq!(room, room_of("a", "b"));
        assert!(may_enter(&room, Some("a")) && may_enter(&room, Some("b")));
        assert!(!may_enter(&room, Some("c")) && !may_enter(&room, None) && !may_enter("private:a", Some("a")));
        assert!(may_enter("general", None));
    }
}
