//! Durable changes of messages that the search index has not applied yet.
//!
//! While the index is closed they are only counted: what has changed is found out by comparing it with the store
//! when it is opened. While it is open they are kept by room.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Number of changes for which the index is opened although nobody searches, so that the first search need not wait.
const CHANGES_MAX: usize = 5_000;
/// Maximum number of changed messages kept of a room; after that, the whole room is compared.
pub(crate) const POSITIONS_MAX: usize = 10_000;
/// Maximum number of rooms with changes; after that, all rooms are compared.
const ROOMS_MAX: usize = 10_000;

/// The changes that wait for the index.
#[derive(Debug)]
pub(crate) struct Feed {
    is_on: bool,
    waiting: Mutex<Waiting>,
    /// Notified when the index should be opened, or has changes to apply.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Number of changes while the index was closed.
    count: usize,
    /// Whether text was replaced or deleted while the index was closed, which it should not keep.
    has_removals: bool,
    /// The changes while the index is open.
    open: Option<Changes>,
}

/// Changes of all rooms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) rooms: HashMap<String, RoomChanges>,
    /// Whether there were too many, so that all rooms have to be compared.
    pub(crate) is_unknown: bool,
}

/// Changes of one room, in addition to new messages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RoomChanges {
    /// Whether the whole room has to be compared.
    pub(crate) is_unknown: bool,
    /// Positions of messages whose text was replaced or deleted.
    pub(crate) positions: BTreeSet<u64>,
    /// The numbers of the first and the last of these changes (`RoomRow::text_changes`).
    pub(crate) numbers: Option<(u64, u64)>,
}

/// A change of text, in the order of the room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextChange<'a> {
    pub(crate) number: u64,
    pub(crate) positions: &'a [u64],
    /// Whether it is in the store for certain.
    pub(crate) is_durable: bool,
}

impl Feed {
    pub(crate) fn new(is_on: bool) -> Self {
        Self { is_on: is_on && cfg!(feature = "search"), waiting: Mutex::default(), changed: Notify::new() }
    }

    /// Records a new message.
    pub(crate) fn added(&self, room: &str) {
        self.record(room, false, |_| {});
    }

    /// Records messages whose text was replaced or deleted.
    pub(crate) fn text_changed(&self, room: &str, change: TextChange<'_>) {
        self.record(room, true, |changes| changes.add(change));
    }

    /// Records that the oldest messages of a room were deleted.
    pub(crate) fn swept(&self, room: &str) {
        self.record(room, true, |_| {});
    }

    /// Records the deletion of a room.
    pub(crate) fn erased(&self, room: &str) {
        self.record(room, true, RoomChanges::forget);
    }

    fn record(&self, room: &str, is_removal: bool, add: impl FnOnce(&mut RoomChanges)) {
        if !self.is_on {
            return;
        }
        let mut waiting = self.lock();
        let Waiting { count, has_removals, open } = &mut *waiting;
        let is_due = match open {
            Some(changes) => {
                let was_empty = changes.is_empty();
                if let Some(known) = changes.rooms.get_mut(room) {
                    add(known);
                } else if changes.rooms.len() < ROOMS_MAX {
                    add(changes.rooms.entry(room.to_owned()).or_default());
                } else {
                    changes.is_unknown = true;
                }
                was_empty
            }
            None => {
                let is_first_removal = is_removal && !*has_removals;
                *count += 1;
                *has_removals |= is_removal;
                is_first_removal || *count == CHANGES_MAX
            }
        };
        drop(waiting);
        if is_due {
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the task that applies the changes.
#[cfg(feature = "search")]
impl Feed {
    /// Begins to keep changes. The index is compared with the store afterwards.
    pub(crate) fn begin(&self) {
        *self.lock() = Waiting { open: Some(Changes::default()), ..Waiting::default() };
    }

    /// Ends to keep changes. Those that were not taken are found by the next comparison.
    pub(crate) fn end(&self) {
        let mut waiting = self.lock();
        let left = waiting.open.take().unwrap_or_default();
        let has_removals = left.is_unknown || left.rooms.values().any(RoomChanges::is_removal);
        *waiting = Waiting { count: left.rooms.len(), has_removals, open: None };
    }

    /// Takes the changes that are waiting.
    pub(crate) fn take(&self) -> Changes {
        self.lock().open.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Whether enough changes wait to open the index, or `has_index` and it has text that should be gone.
    pub(crate) fn is_due(&self, has_index: impl FnOnce() -> bool) -> bool {
        let mut waiting = self.lock();
        if waiting.count >= CHANGES_MAX {
            return true;
        }
        let is_due = waiting.has_removals && has_index();
        // Without an index, the next removal need not wake anybody either.
        waiting.has_removals = is_due;
        is_due
    }

    /// Waits for a notification: changes to apply, or a reason to open the index.
    pub(crate) async fn notified(&self) {
        self.changed.notified().await;
    }
}

impl Changes {
    /// Whether nothing has changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.rooms.is_empty() && !self.is_unknown
    }
}

impl RoomChanges {
    fn add(&mut self, change: TextChange<'_>) {
        let TextChange { number, positions, is_durable } = change;
        self.numbers = match self.numbers {
            None => Some((number, number)),
            Some((first, last)) if number == last + 1 => Some((first, number)),
            other => {
                // Changes are missing in between, or the room is not the same any more.
                self.is_unknown = true;
                other
            }
        };
        self.positions.extend(positions);
        if self.is_unknown || !is_durable || self.positions.len() > POSITIONS_MAX {
            self.forget();
        }
    }

    /// Whether text was replaced or deleted.
    #[cfg(feature = "search")]
    fn is_removal(&self) -> bool {
        self.is_unknown || !self.positions.is_empty()
    }

    /// Forgets the single changes: the whole room is compared.
    fn forget(&mut self) {
        *self = Self { is_unknown: true, ..Self::default() };
    }
}

#[cfg(all(test, feature = "search"))]
mod tests {
    use super::*;

    fn change(number: u64, positions: &[u64]) -> TextChange<'_> {
        TextChange { number, positions, is_durable: true }
    }

    #[test]
    fn changes_are_kept_by_room_while_the_index_is_open() {
        let feed = Feed::new(true);
        feed.added("before");
        feed.begin();
        feed.added("a");
        feed.text_changed("a", change(3, &[1, 2]));
        feed.text_changed("a", change(4, &[2, 5]));
        feed.text_changed("b", change(1, &[1]));
        feed.text_changed("b", change(3, &[1]));
        feed.text_changed("c", TextChange { is_durable: false, ..change(1, &[1]) });
        let taken = feed.take();
        assert_eq!(taken.rooms.len(), 3);
        assert_eq!(
            taken.rooms["a"],
            RoomChanges { is_unknown: false, positions: [1, 2, 5].into(), numbers: Some((3, 4)) }
        );
        assert!(taken.rooms["b"].is_unknown, "a change is missing");
        assert!(taken.rooms["c"].is_unknown, "it is not certain");
        assert!(feed.take().is_empty());
    }

    #[test]
    fn changes_are_counted_while_the_index_is_closed() {
        let feed = Feed::new(true);
        (1..CHANGES_MAX).for_each(|_| feed.added("a"));
        assert!(!feed.is_due(|| true));
        feed.added("a");
        assert!(feed.is_due(|| false));
        feed.begin();
        feed.end();
        assert!(!feed.is_due(|| true));
        feed.swept("a");
        assert!(!feed.is_due(|| false), "there is no index");
        feed.swept("a");
        assert!(feed.is_due(|| true), "the index has what is gone");
        let off = Feed::new(false);
        off.swept("a");
        assert!(!off.is_due(|| true));
    }
}
