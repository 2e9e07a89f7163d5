//! The progress of the index in each room, which tells after any interruption what it has missed.

use palabre_store::{Direction, Result as StoreResult, Snapshot};
use palabre_types::Millis;
use serde::{Deserialize, Serialize};

use super::feed::{POSITIONS_MAX, RoomChanges};
use crate::history::{MESSAGES, ROOMS};

/// The state of a room in the store, as far as the index has applied it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The creation time of the room: one that was deleted and created anew begins with position 1.
    pub(crate) created: Millis,
    /// The number of the last change of text (`RoomRow::text_changes`).
    pub(crate) changes: u64,
    /// The position of the oldest message that is not pinned, which the hourly sweep deletes first.
    pub(crate) oldest: u64,
    /// All messages before this position have been indexed.
    pub(crate) next: u64,
}

impl Progress {
    /// Returns the progress at which the index has everything of a room; `None` if the room has no messages.
    pub(crate) fn of_store(snapshot: &Snapshot, room: &str) -> StoreResult<Option<Self>> {
        let room = room.to_owned();
        let Some(last) = MESSAGES.scan(snapshot, &room, Direction::Backward)?.next() else { return Ok(None) };
        let next = last?.0.1 + 1;
        let row = ROOMS.get(snapshot, &room)?.unwrap_or_default();
        let mut oldest = next;
        for message in MESSAGES.scan(snapshot, &room, Direction::Forward)? {
            let ((_, position), message) = message?;
            if !message.pinned {
                oldest = position;
                break;
            }
        }
        Ok(Some(Self { created: row.created, changes: row.text_changes, oldest, next }))
    }

    /// Whether the index can get from here to `now` by `changes`. Otherwise the room has to be indexed anew.
    pub(crate) fn is_continued(&self, now: &Self, changes: &RoomChanges) -> bool {
        let swept = now.oldest.saturating_sub(self.oldest);
        let is_same = self.created == now.created && !changes.is_unknown;
        is_same
            && usize::try_from(swept).is_ok_and(|swept| swept <= POSITIONS_MAX)
            && changes.numbers.is_none_or(|(first, _)| first <= self.changes.saturating_add(1))
    }

    /// Whether text was changed, or the store replaced by an older one, since the index was here.
    pub(crate) fn has_missed_changes(&self, now: &Self) -> bool {
        self.changes != now.changes || now.next < self.next
    }

    /// Returns the positions before `next` whose messages may have changed on the way to `now`.
    pub(crate) fn changed(&self, now: &Self, changes: &RoomChanges) -> Vec<u64> {
        let swept = self.oldest..now.oldest.min(self.next).max(self.oldest);
        let mut positions: Vec<u64> = changes.positions.iter().copied().chain(swept).collect();
        positions.retain(|position| *position < self.next);
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

/// Returns the first room with messages after `last`, in the order of the store.
pub(crate) fn next_room(snapshot: &Snapshot, last: Option<&str>) -> StoreResult<Option<String>> {
    let all: Vec<u8> = Vec::new();
    let first = match last {
        Some(room) => {
            MESSAGES.scan_after(snapshot, &all, &(room.to_owned(), u64::MAX), Direction::Forward)?.next().transpose()?
        }
        None => MESSAGES.scan(snapshot, &all, Direction::Forward)?.next().transpose()?,
    };
    Ok(first.map(|((room, _), _)| room))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Progress = Progress { created: 1, changes: 4, oldest: 10, next: 50 };

    #[test]
    fn changes_that_follow_each_other_are_applied_one_by_one() {
        let now = Progress { changes: 6, oldest: 13, next: 60, ..BEFORE };
        let changes = RoomChanges { numbers: Some((5, 6)), positions: [20, 49, 55].into(), ..RoomChanges::default() };
        assert!(BEFORE.is_continued(&now, &changes));
        assert_eq!(BEFORE.changed(&now, &changes), [10, 11, 12, 20, 49], "later ones are indexed as new ones");
        let none = RoomChanges::default();
        assert!(BEFORE.is_continued(&now, &none) && BEFORE.has_missed_changes(&now));
        assert_eq!(BEFORE.changed(&Progress { oldest: 90, ..now }, &none), (10..50).collect::<Vec<_>>());
        assert_eq!(BEFORE.changed(&Progress { oldest: 3, ..now }, &none), Vec::<u64>::new());
    }

    #[test]
    fn a_room_is_indexed_anew_after_what_is_not_known() {
        let none = RoomChanges::default();
        assert!(!BEFORE.is_continued(&Progress { created: 2, ..BEFORE }, &none));
        assert!(!BEFORE.is_continued(&Progress { oldest: 50_000, ..BEFORE }, &none));
        assert!(!BEFORE.is_continued(&BEFORE, &RoomChanges { is_unknown: true, ..RoomChanges::default() }));
        assert!(!BEFORE.is_continued(&BEFORE, &RoomChanges { numbers: Some((6, 6)), ..RoomChanges::default() }));
        assert!(BEFORE.has_missed_changes(&Progress { next: 40, ..BEFORE }));
        assert!(!BEFORE.has_missed_changes(&BEFORE));
    }
}
