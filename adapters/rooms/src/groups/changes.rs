//! Creating, changing and deleting rooms, and their members.

use std::collections::HashMap;
use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_store::Direction;
use palabre_text::skeleton;
use palabre_types::{Batch, Permission};
use serde::Deserialize;

use super::rows::{GROUPS, GroupRow, INVITE_CODES, INVITES, MEMBERSHIPS, MembershipRow, RoomRole, Visibility};
use super::{Group, Groups};
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
/// Maximum number of members of a room.
const MEMBERS_MAX: usize = 20_000;

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

impl Groups {
    /// Returns the room whose name can be mistaken for another one.
    fn confusable(&self, name: &str) -> Option<String> {
        let shape = skeleton(name);
        self.read().keys().find(|other| skeleton(other) == shape).cloned()
    }

    fn owned_by(&self, account: &str) -> usize {
        self.read().values().filter(|group| group.members.get(account) == Some(&RoomRole::Owner)).count()
    }
}

impl Rooms {
    /// Creates a room whose owner is `account`. Returns its name.
    pub(crate) async fn create_group(
        self: &Arc<Self>,
        account: &Account,
        new: &NewGroup,
    ) -> Result<String, AccountError> {
        let name = decode::room_name(&new.name).map_err(AccountError::Invalid)?;
        if is_hidden(&name) {
            return Err(AccountError::Invalid(
                "this name is reserved for private conversations and sessions".to_owned(),
            ));
        }
        let (rooms, owner) = (Arc::clone(self), account.id.clone());
        let (visibility, allows_guests) = (new.visibility, new.guests.unwrap_or(true));
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            let _one = groups.changes.lock().await;
            if let Some(other) = groups.confusable(&name) {
                return Err(AccountError::Conflict(format!("there is a room \"{other}\" already")));
            }
            if groups.owned_by(&owner) >= OWNED_MAX {
                return Err(AccountError::Conflict(format!("you own {OWNED_MAX} rooms, which is the limit")));
            }
            let asked = name.clone();
            let is_known = rooms.read_store(move |snapshot| Ok(ROOMS.get(snapshot, &asked)?.is_some())).await?;
            // Its people and messages are not the new owner's.
            if is_known || rooms.directory.is_open(&name) {
                return Err(AccountError::Conflict(format!("the room \"{name}\" is in use; choose another name")));
            }
            let now = rooms.clock.now();
            let row = GroupRow {
                created: now,
                created_by: owner.clone(),
                visibility,
                allows_guests,
                is_archived: false,
                is_deleted: false,
            };
            let mut rows = Batch::default();
            GROUPS.require_absent(&mut rows, &name);
            GROUPS.put(&mut rows, &name, &row);
            let membership = MembershipRow { role: RoomRole::Owner, since: now };
            MEMBERSHIPS.put(&mut rows, &(name.clone(), owner.clone()), &membership);
            rooms.write("a new room", rows).await?;
            groups.set(&name, Some(Group { row, members: HashMap::from([(owner, RoomRole::Owner)]) }));
            Ok(name)
        })
        .await
    }

    /// Changes who may enter a room, and whether it is archived. Its topic and rules are the room's own.
    pub(crate) async fn change_group(self: &Arc<Self>, room: &str, change: &GroupChange) -> Result<(), AccountError> {
        let (rooms, room) = (Arc::clone(self), room.to_owned());
        let GroupChange { visibility, guests, archived, .. } = *change;
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            let _one = groups.changes.lock().await;
            let group = groups.get(&room).ok_or(NO_SUCH_ROOM)?;
            let row = GroupRow {
                visibility: visibility.unwrap_or(group.row.visibility),
                allows_guests: guests.unwrap_or(group.row.allows_guests),
                is_archived: archived.unwrap_or(group.row.is_archived),
                ..group.row.clone()
            };
            let mut rows = Batch::default();
            GROUPS.put(&mut rows, &room, &row);
            rooms.write("a change of a room", rows).await?;
            groups.set(&room, Some(Group { row, ..group }));
            rooms.remove_strangers(&room).await;
            Ok(())
        })
        .await
    }

    /// Gives an account a role in a room, or takes its membership away.
    ///
    /// Members leave by themselves; everything else takes a higher level than that of the target, and the new role
    /// must be below one's own, except that an owner of the room names further owners.
    pub(crate) async fn change_member(
        self: &Arc<Self>,
        by: &str,
        room: &str,
        target: String,
        role: Option<RoomRole>,
    ) -> Result<(), AccountError> {
        let (rooms, by, room) = (Arc::clone(self), by.to_owned(), room.to_owned());
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            let _one = groups.changes.lock().await;
            let mut group = groups.get(&room).ok_or(NO_SUCH_ROOM)?;
            rooms.check_member_change(&by, &room, &group, &target, role)?;
            let asked = target.clone();
            let found = rooms.read_store(move |snapshot| Account::find(snapshot, &asked)).await?;
            let mut rows = Batch::default();
            let key = (room.clone(), target.clone());
            match role {
                Some(role) => {
                    let account = found.ok_or(AccountError::NotFound("there is no such account"))?;
                    if role == RoomRole::Owner && account.is_bot() {
                        return Err(AccountError::Conflict("a bot account cannot own a room".to_owned()));
                    }
                    MEMBERSHIPS.put(&mut rows, &key, &MembershipRow { role, since: rooms.clock.now() });
                    group.members.insert(target, role);
                }
                None => {
                    group.members.remove(&target);
                    MEMBERSHIPS.delete(&mut rows, &key);
                }
            }
            rooms.write("a change of a room's members", rows).await?;
            groups.set(&room, Some(group));
            rooms.remove_strangers(&room).await;
            Ok(())
        })
        .await
    }

    fn check_member_change(
        &self,
        by: &str,
        room: &str,
        group: &Group,
        target: &str,
        role: Option<RoomRole>,
    ) -> Result<(), AccountError> {
        let current = group.members.get(target).copied();
        if current.is_none() && role.is_none() {
            return Err(AccountError::NotFound("the account is no member of this room"));
        }
        let own = self.authority.of(room, by);
        let theirs = current.map_or(Permission::Everyone, RoomRole::permission).max(self.authority.roles.of(target));
        let is_owner = own >= Permission::Admin;
        let may = match role {
            // Leaving must not end a mute.
            None if by == target => current >= Some(RoomRole::Member),
            _ if own < Permission::Moderator => false,
            Some(RoomRole::Owner | RoomRole::Moderator) => is_owner && (role > current || theirs < own || by == target),
            Some(_) if by == target => is_owner,
            Some(RoomRole::Member) if current.is_none() => true,
            Some(RoomRole::Member | RoomRole::Muted | RoomRole::Banned) | None => theirs < own,
        };
        if !may {
            return Err(AccountError::Forbidden("your role in this room does not allow that"));
        }
        let owners = group.members.values().filter(|role| **role == RoomRole::Owner).count();
        if current == Some(RoomRole::Owner) && role != Some(RoomRole::Owner) && owners == 1 {
            return Err(AccountError::Conflict(
                "this is the only owner of the room; name another one first".to_owned(),
            ));
        }
        if current.is_none() && group.members.len() >= MEMBERS_MAX {
            return Err(AccountError::Conflict(format!("the room has {MEMBERS_MAX} members, which is the limit")));
        }
        Ok(())
    }

    /// Removes an account that is being deleted from a room. A room without members is deleted.
    pub(crate) async fn forget_member(self: &Arc<Self>, room: &str, account: &str) -> Result<(), AccountError> {
        let groups = &self.authority.groups;
        let is_last = {
            let _one = groups.changes.lock().await;
            let Some(mut group) = groups.get(room) else { return Ok(()) };
            let mut rows = Batch::default();
            MEMBERSHIPS.delete(&mut rows, &(room.to_owned(), account.to_owned()));
            self.write("a member whose account is deleted", rows).await?;
            group.members.remove(account);
            let is_last = !group.members.values().any(|role| *role == RoomRole::Owner);
            groups.set(room, Some(group));
            is_last
        };
        if is_last { self.delete_group(room).await } else { Ok(()) }
    }

    /// Deletes a room with its members, invites, messages and files. The people in it have to leave.
    pub(crate) async fn delete_group(self: &Arc<Self>, room: &str) -> Result<(), AccountError> {
        let (rooms, room) = (Arc::clone(self), room.to_owned());
        self.run_to_end(async move {
            let groups = &rooms.authority.groups;
            let _one = groups.changes.lock().await;
            let group = groups.get(&room).ok_or(NO_SUCH_ROOM)?;
            let row = GroupRow { is_deleted: true, ..group.row.clone() };
            let mut rows = Batch::default();
            GROUPS.put(&mut rows, &room, &row);
            rooms.write("a room that is being deleted", rows).await?;
            groups.set(&room, Some(Group { row, members: HashMap::new() }));
            rooms.finish_deletion(&room).await
        })
        .await
    }

    /// Completes the deletion of a room, also after a restart.
    pub(crate) async fn finish_deletion(self: &Arc<Self>, room: &str) -> Result<(), AccountError> {
        // First, so that none of them posts into the room that is being deleted.
        let webhooks = self.authority.webhooks.of_room(room);
        webhooks.iter().for_each(|(id, _)| self.authority.webhooks.remove(id));
        let outgoing = self.outgoing.of_room(room);
        outgoing.iter().for_each(|(id, _)| self.outgoing.remove(id));
        self.erase_room(room).await?;
        let asked = room.to_owned();
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
            webhooks.iter().for_each(|(id, _)| WEBHOOKS.delete(&mut rows, id));
            outgoing.iter().for_each(|(id, _)| {
                OUTGOING.delete(&mut rows, id);
                DELIVERIES.delete(&mut rows, id);
            });
            GROUPS.delete(&mut rows, &asked);
            Ok(rows)
        });
        self.write("deletion of a room", rows.await?).await.map_err(|error: EmitError| AccountError::from(error))?;
        self.authority.groups.set(room, None);
        Ok(())
    }
}

const NO_SUCH_ROOM: AccountError = AccountError::NotFound("there is no such room, or no account has created it");
