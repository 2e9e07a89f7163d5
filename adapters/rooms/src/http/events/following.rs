//! The rooms whose events an account follows.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::accounts::rows::Account;
use crate::conversation::is_conversation;
use crate::groups::rows::RoomRole;
use crate::service::Rooms;

/// The rooms whose events an account follows.
///
/// Those of which it is a member, its private conversations, and those that it has named.
pub(super) struct Following {
    rooms: Arc<Rooms>,
    account: String,
    /// The username, in lower case.
    name: String,
    named: BTreeSet<String>,
}

impl Following {
    pub(super) fn new(rooms: &Arc<Rooms>, account: &Account, named: BTreeSet<String>) -> Arc<Self> {
        let name = account.row.username.to_lowercase();
        Arc::new(Self { rooms: Arc::clone(rooms), account: account.id.clone(), name, named })
    }

    /// Whether the account follows a room, and may read it now.
    pub(super) fn contains(&self, room: &str) -> bool {
        let groups = &self.rooms.authority.groups;
        let is_member = || groups.role(room, &self.account).is_some_and(|role| role > RoomRole::Banned);
        let is_followed = self.named.contains(room) || is_conversation(room) || is_member();
        is_followed && self.may_read(room)
    }

    /// Returns a room that the account has named and may not read any more.
    pub(super) fn closed(&self) -> Option<&str> {
        self.named.iter().map(String::as_str).find(|room| !self.may_read(room))
    }

    fn may_read(&self, room: &str) -> bool {
        if !self.rooms.authority.groups.may_enter(room, Some(&self.account)) {
            return false;
        }
        // A ban of the whole service leaves private conversations open.
        is_conversation(room) || self.rooms.members.banning(&self.name, &self.account, self.rooms.clock.now()).is_none()
    }
}
