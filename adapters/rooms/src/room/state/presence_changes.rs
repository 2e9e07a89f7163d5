//! Joins and leaves that a large room announces together.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Interval at which a large room announces joins and leaves.
const PRESENCE_INTERVAL: Duration = Duration::from_millis(500);

/// Joins and leaves that are not announced yet, by lower-case username.
#[derive(Default)]
pub(crate) struct PresenceChanges {
    pub(crate) joined: BTreeMap<String, String>,
    pub(crate) left: BTreeMap<String, String>,
    due: Option<Instant>,
}

impl PresenceChanges {
    /// Returns the time of the next announcement; `None` if there is nothing to announce.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Adds a join.
    pub(crate) fn join(&mut self, username: &str) {
        let name = username.to_lowercase();
        // A person whose leave is not announced yet is still in every client's list.
        if self.left.remove(&name).is_none() {
            self.joined.insert(name, username.to_owned());
        }
        self.wait();
    }

    /// Adds a leave.
    pub(crate) fn leave(&mut self, username: &str) {
        let name = username.to_lowercase();
        if self.joined.remove(&name).is_none() {
            self.left.insert(name, username.to_owned());
        }
        self.wait();
    }

    fn wait(&mut self) {
        self.due.get_or_insert_with(|| Instant::now() + PRESENCE_INTERVAL);
    }
}
