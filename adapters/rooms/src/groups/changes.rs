//! Creating, changing and deleting rooms.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_store::Direction;
use palabre_types::{Batch, Permission};
use serde::Deserialize;
use tokio::sync::MutexGuard;

use super::Group;
use super::rows::{GROUPS, GroupRow, INVITE_CODES, INVITES, MEMBERSHIPS, MembershipRow, RoomRole, Visibility};
use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::conversation::is_hidden;
use crate::decode;
use crate::history::ROOMS;
use crate::outgoing::rows::{DELIVERIES, OUTGOING};
use crate::service::Rooms;
use crate::webhooks::rows::WEBHOOKS;

/// Maximum number of rooms that one account may own.
const OWNED_MAX: usize = 100;
/// Maximum wait for another change: while the store refuses writes, the one before waits for it.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// Delay before a deletion that has failed is tried once more.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// A request for a room.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with name, topic and visibility")]
pub(crate) struct NewGroup {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) topic: Option<String>,
    #[serde(default)]
    pub(crate) visibility: Visibility,
    /// Whether people without an account may enter a public room; true if it is missing.
    #[serde(default)]
    pub(crate) guests: Option<bool>,
}

/// A change of a room. What is missing stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with topic, slowmode, locked, visibility and archived")]
pub(crate) struct GroupChange {
    /// Empty to remove it.
    #[serde(default)]
    pub(crate) topic: Option<String>,
    /// Seconds between two messages of a person; 0 to remove it.
    #[serde(default)]
    pub(crate) slowmode: Option<u32>,
    #[serde(default)]
    pub(crate) locked: Option<bool>,
    #[serde(default)]
    pub(crate) visibility: Option<Visibility>,
    /// Whether people without an account may enter a public room.
    #[serde(default)]
    pub(crate) guests: Option<bool>,
    #[serde(default)]
    pub(crate) archived: Option<bool>,
}

impl GroupChange {
    /// Whether the change is about who may enter, or whether anybody may write.
    pub(crate) const fn is_about_access(&self) -> bool {
        self.visibility.is_some() || self.guests.is_some() || self.archived.is_some()
    }
}

impl Rooms {
    /// Waits for the turn to change rooms: one change after the other.
    pub(super) async fn lock_groups(&self) -> Result<MutexGuard<'_, ()>, AccountError> {
        let turn = tokio::time::timeout(LOCK_TIMEOUT, self.authority.groups.changes.lock()).await;
        turn.map_err(|_elapsed| AccountError::Busy)
    }

    /// Creates a room whose owner is `account`. Returns its name.
    pub(crate) async fn create_group(
        self: &Arc<Self>,
        account: &Account,
        new: &NewGroup,
    ) -> Result<String, AccountError> {
        let name = decode::room_name(&new.name).map_err(AccountError::Invalid)?;
        if is_hidden(&name) {
            let problem = "this name is reserved for private conversations and sessions";
            return Err(AccountError::Invalid(problem.to_owned()));
        }
        let (now, owner) = (self.clock.now(), account.id.clone());
        let row = GroupRow {
            created: now,
            created_by: owner.clone(),
            visibility: new.visibility,
            allows_guests: new.guests.unwrap_or(true),
            is_archived: false,
            is_deleted: false,
            is_erased: false,
        };
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            let _turn = rooms.lock_groups().await?;
            rooms.check_is_free(&name).await?;
            if groups.owned_by(&owner) >= OWNED_MAX {
                return Err(AccountError::Conflict(format!("you own {OWNED_MAX} rooms, which is the limit")));
            }
            let mut rows = Batch::default();
            GROUPS.put(&mut rows, &name, &row);
            let membership = MembershipRow { role: RoomRole::Owner, since: now };
            MEMBERSHIPS.put(&mut rows, &(name.clone(), owner.clone()), &membership);
            rooms.write("a new room", rows).await?;
            rooms.room_names.replace(&name);
            groups.set(&name, Group { row, members: HashMap::from([(owner, RoomRole::Owner)]) });
            // Somebody may have entered while it was written.
            rooms.remove_strangers(&name).await;
            Ok(name)
        })
        .await
    }

    /// Checks that no room has a name, or one that looks like it. The text does not tell which one has.
    async fn check_is_free(&self, name: &str) -> Result<(), AccountError> {
        let known = self.room_names.known(name);
        let asked = known.clone();
        let is_stored = self.read_store(move |snapshot| Ok(ROOMS.get(snapshot, &asked)?.is_some())).await?;
        // The people and messages of a room in use, or not erased yet, are not the new owner's.
        let groups = &self.authority.groups;
        let is_taken = groups.exists(&known) || groups.is_being_erased(&known);
        if is_stored || is_taken || self.directory.is_open(&known) {
            return Err(AccountError::Conflict("this name is not available; choose another one".to_owned()));
        }
        Ok(())
    }

    /// Changes who may enter a room, and whether it is archived. Its topic and rules are the room's own.
    pub(crate) async fn change_group(
        self: &Arc<Self>,
        by: &str,
        room: &str,
        change: &GroupChange,
    ) -> Result<(), AccountError> {
        let (rooms, by, room) = (Arc::clone(self), by.to_owned(), room.to_owned());
        let GroupChange { visibility, guests, archived, .. } = *change;
        self.run_to_end(async move {
            let turn = rooms.lock_groups().await?;
            let group = rooms.owned_group(&by, &room)?;
            let row = GroupRow {
                visibility: visibility.unwrap_or(group.row.visibility),
                allows_guests: guests.unwrap_or(group.row.allows_guests),
                is_archived: archived.unwrap_or(group.row.is_archived),
                ..group.row.clone()
            };
            let mut rows = Batch::default();
            GROUPS.put(&mut rows, &room, &row);
            rooms.write("a change of a room", rows).await?;
            rooms.authority.groups.set(&room, Group { row, ..group });
            drop(turn);
            rooms.remove_strangers(&room).await;
            Ok(())
        })
        .await
    }

    /// Returns a room of which a person is an owner, or which an administrator of the service may change.
    fn owned_group(&self, by: &str, room: &str) -> Result<Group, AccountError> {
        let group = self.authority.groups.get(room).ok_or(NO_SUCH_ROOM)?;
        if self.authority.of(room, by) < Permission::Admin {
            return Err(AccountError::Forbidden("only owners of this room can do that"));
        }
        Ok(group)
    }

    /// Deletes a room with its members, invites, messages and files. The people in it have to leave.
    ///
    /// Nobody may enter it any more, until somebody creates a room of this name.
    pub(crate) async fn delete_group(self: &Arc<Self>, by: &str, room: &str) -> Result<(), AccountError> {
        let (rooms, by, room) = (Arc::clone(self), by.to_owned(), room.to_owned());
        self.run_to_end(async move {
            let turn = rooms.lock_groups().await?;
            let group = rooms.owned_group(&by, &room)?;
            rooms.close_group(&room, group).await?;
            drop(turn);
            rooms.erase_group(&room).await;
            Ok(())
        })
        .await
    }

    /// Closes a room to everybody, for its deletion. Its turn has come.
    pub(super) async fn close_group(&self, room: &str, group: Group) -> Result<(), AccountError> {
        let row = GroupRow { is_deleted: true, ..group.row };
        let mut rows = Batch::default();
        GROUPS.put(&mut rows, &room.to_owned(), &row);
        self.write("a room that is being deleted", rows).await?;
        self.authority.groups.set(room, Group { row, members: HashMap::new() });
        Ok(())
    }

    /// Erases a closed room. What fails is tried once more later, in the background.
    pub(crate) async fn erase_group(self: &Arc<Self>, room: &str) {
        let Err(error) = self.try_to_erase_group(room).await else { return };
        tracing::warn!(room, "cannot complete the deletion of a room, trying on: {error}");
        let (rooms, room) = (Arc::clone(self), room.to_owned());
        self.spawn(async move {
            loop {
                tokio::time::sleep(RETRY_DELAY).await;
                if rooms.try_to_erase_group(&room).await.is_ok() {
                    return;
                }
            }
        });
    }

    async fn try_to_erase_group(self: &Arc<Self>, room: &str) -> Result<(), AccountError> {
        if !self.authority.groups.is_being_erased(room) {
            return Ok(());
        }
        // First, so that none of them posts into the room that is being deleted.
        for (id, _) in self.authority.webhooks.of_room(room) {
            self.authority.webhooks.remove(&id);
        }
        for (id, _) in self.outgoing.of_room(room) {
            self.outgoing.remove(&id);
        }
        self.erase_room(room).await?;
        let _turn = self.lock_groups().await?;
        let Some(group) = self.authority.groups.get_deleted(room) else { return Ok(()) };
        let row = GroupRow { is_erased: true, ..group.row };
        let (asked, erased) = (room.to_owned(), row.clone());
        let rows = self.read_store(move |snapshot| {
            let mut rows = Batch::default();
            for row in MEMBERSHIPS.scan(snapshot, &asked, Direction::Forward)? {
                MEMBERSHIPS.delete(&mut rows, &row?.0);
            }
            for row in INVITES.scan(snapshot, &asked, Direction::Forward)? {
                let (key, _) = row?;
                INVITE_CODES.delete(&mut rows, &key.1);
                INVITES.delete(&mut rows, &key);
            }
            // From the store: an attempt that failed has removed them from memory.
            for row in WEBHOOKS.scan(snapshot, &Vec::new(), Direction::Forward)? {
                let (id, row) = row?;
                if row.room == asked {
                    WEBHOOKS.delete(&mut rows, &id);
                }
            }
            for row in OUTGOING.scan(snapshot, &Vec::new(), Direction::Forward)? {
                let (id, row) = row?;
                if row.room == asked {
                    OUTGOING.delete(&mut rows, &id);
                    DELIVERIES.delete(&mut rows, &id);
                }
            }
            // What was private does not become a room for everybody.
            GROUPS.put(&mut rows, &asked, &erased);
            Ok(rows)
        });
        self.write("deletion of a room", rows.await?).await?;
        self.authority.groups.set(room, Group { row, members: HashMap::new() });
        Ok(())
    }
}

pub(super) const NO_SUCH_ROOM: AccountError =
    AccountError::NotFound("there is no such room, or no account has created it");
