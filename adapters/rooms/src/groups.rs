//! Rooms that an account has created: who may enter them, and the roles in them.
//!
//! Any other room is public, has no members, and exists as long as it has people or messages.

pub(crate) mod changes;
pub(crate) mod invites;
pub(crate) mod members;
pub(crate) mod rows;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use palabre_store::{Direction, Result as StoreResult, Store};
use palabre_types::Permission;

use crate::accounts::bot_accounts::BotAccounts;
use crate::accounts::roles::Roles;
use crate::conversation;
use crate::webhooks::registry::{Webhooks, is_author};
use rows::{GROUPS, GroupRow, MEMBERSHIPS, RoomRole, Visibility};

/// A room with its members, by account.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) row: GroupRow,
    pub(crate) members: HashMap<String, RoomRole>,
}

impl Group {
    /// Whether an account, or a guest, may know of the room and enter it.
    fn is_open_to(&self, account: Option<&str>) -> bool {
        let role = account.and_then(|account| self.members.get(account));
        let may = match role {
            Some(role) => *role > RoomRole::Banned,
            None => self.row.visibility == Visibility::Public && (account.is_some() || self.row.allows_guests),
        };
        may && !self.row.is_deleted
    }
}

/// All rooms that accounts have created, in memory: requests are decided without waiting.
///
/// Memory has what the store has. Changes are made one after the other.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_room: RwLock<HashMap<String, Group>>,
    pub(crate) changes: tokio::sync::Mutex<()>,
}

impl Groups {
    /// Reads all of them from the store.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<()> {
        let snapshot = store.snapshot(0)?;
        let mut groups = HashMap::new();
        for row in GROUPS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (room, row) = row?;
            groups.insert(room, Group { row, members: HashMap::new() });
        }
        for row in MEMBERSHIPS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let ((room, account), row) = row?;
            if let Some(group) = groups.get_mut(&room) {
                group.members.insert(account, row.role);
            }
        }
        *self.write() = groups;
        Ok(())
    }

    /// Returns a room, if an account has created it.
    pub(crate) fn get(&self, room: &str) -> Option<Group> {
        self.read().get(room).filter(|group| !group.row.is_deleted).cloned()
    }

    /// Returns the row of a room, the number of its members, and the role of an account.
    pub(crate) fn summary(&self, room: &str, account: Option<&str>) -> Option<(GroupRow, usize, Option<RoomRole>)> {
        let groups = self.read();
        let group = groups.get(room).filter(|group| !group.row.is_deleted)?;
        let members = group.members.values().filter(|role| **role > RoomRole::Banned).count();
        Some((group.row.clone(), members, account.and_then(|account| group.members.get(account).copied())))
    }

    /// Whether an account has created the room. It is kept without people and messages.
    pub(crate) fn exists(&self, room: &str) -> bool {
        self.read().get(room).is_some_and(|group| !group.row.is_deleted)
    }

    /// Returns a room that is being deleted.
    fn get_deleted(&self, room: &str) -> Option<Group> {
        self.read().get(room).filter(|group| group.row.is_deleted).cloned()
    }

    /// Whether a room was deleted, and none was created under its name since.
    pub(crate) fn is_deleted(&self, room: &str) -> bool {
        self.get_deleted(room).is_some()
    }

    /// Whether the deletion of a room has begun and is not complete: its messages may still be there.
    fn is_being_erased(&self, room: &str) -> bool {
        self.get_deleted(room).is_some_and(|group| !group.row.is_erased)
    }

    fn owned_by(&self, account: &str) -> usize {
        let groups = self.read();
        let of = groups.values().filter(|group| group.members.get(account) == Some(&RoomRole::Owner));
        of.count()
    }

    /// Whether an account, or a guest, may enter and read a room.
    pub(crate) fn may_enter(&self, room: &str, account: Option<&str>) -> bool {
        conversation::may_enter(room, account) && self.read().get(room).is_none_or(|group| group.is_open_to(account))
    }

    /// Returns the names of all of them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// Returns the rooms whose deletion is not complete.
    pub(crate) fn deleted(&self) -> Vec<String> {
        let groups = self.read();
        let begun = groups.iter().filter(|(_, group)| group.row.is_deleted && !group.row.is_erased);
        begun.map(|(room, _)| room.clone()).collect()
    }

    /// Whether nobody may write in the room any more.
    pub(crate) fn is_archived(&self, room: &str) -> bool {
        self.read().get(room).is_some_and(|group| group.row.is_archived)
    }

    /// Returns the role of an account in a room.
    pub(crate) fn role(&self, room: &str, account: &str) -> Option<RoomRole> {
        self.read().get(room)?.members.get(account).copied()
    }

    /// Returns the rooms that an account may enter as a member, in order.
    pub(crate) fn of_account(&self, account: &str) -> Vec<(String, RoomRole)> {
        let mut rooms = self.all_of_account(account);
        rooms.retain(|(_, role)| *role > RoomRole::Banned);
        rooms.sort();
        rooms
    }

    /// Returns all rooms in which an account has a role, those that it may not enter too.
    pub(crate) fn all_of_account(&self, account: &str) -> Vec<(String, RoomRole)> {
        let groups = self.read();
        let of = groups.iter().filter_map(|(room, group)| Some((room.clone(), *group.members.get(account)?)));
        of.collect()
    }

    /// Returns the names of all rooms that an account may see, with those that nobody else may.
    pub(crate) fn visible_to(&self, account: Option<&str>) -> Vec<String> {
        self.read().iter().filter(|(_, group)| group.is_open_to(account)).map(|(room, _)| room.clone()).collect()
    }

    /// Returns the names of all rooms that an account may not enter.
    #[cfg(feature = "search")]
    pub(crate) fn closed_to(&self, account: &str) -> Vec<String> {
        let groups = self.read();
        groups.iter().filter(|(_, group)| !group.is_open_to(Some(account))).map(|(room, _)| room.clone()).collect()
    }

    fn set(&self, room: &str, group: Group) {
        self.write().insert(room.to_owned(), group);
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Group>> {
        self.by_room.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Group>> {
        self.by_room.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Decides what a person may do in a room: by the role in the whole service, and by that in the room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Authority {
    pub(crate) roles: Arc<Roles>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) bots: Arc<BotAccounts>,
    pub(crate) webhooks: Arc<Webhooks>,
}

impl Authority {
    /// Returns the permission level of a person in a room. `person` is the id of an account or guest.
    ///
    /// Scripts see only the role in the whole service, since their measures apply to all of it.
    pub(crate) fn of(&self, room: &str, person: &str) -> Permission {
        let in_room = self.groups.role(room, person).map_or(Permission::Everyone, RoomRole::permission);
        self.roles.of(person).max(in_room)
    }

    /// Whether an id is that of a program that is no script: a bot account, or a webhook.
    pub(crate) fn is_program(&self, person: &str) -> bool {
        is_author(person) || self.bots.contains(person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_room_is_closed_and_its_name_is_taken_until_it_is_erased() {
        let groups = Groups::default();
        let row = GroupRow {
            created: 1,
            created_by: "000000000000000a".to_owned(),
            visibility: Visibility::Public,
            allows_guests: true,
            is_archived: false,
            is_deleted: true,
            is_erased: false,
        };
        groups.set("den", Group { row: row.clone(), members: HashMap::new() });
        assert!(groups.is_being_erased("den") && groups.is_deleted("den") && !groups.exists("den"));
        assert!(!groups.may_enter("den", None) && groups.deleted() == ["den"]);
        groups.set("den", Group { row: GroupRow { is_erased: true, ..row.clone() }, members: HashMap::new() });
        assert!(!groups.is_being_erased("den") && groups.is_deleted("den") && groups.deleted().is_empty());
        assert!(!groups.may_enter("den", None), "it does not become a room for everybody");
        groups.set("den", Group { row: GroupRow { is_deleted: false, ..row }, members: HashMap::new() });
        assert!(!groups.is_being_erased("den") && groups.exists("den") && groups.may_enter("den", None));
    }
}
