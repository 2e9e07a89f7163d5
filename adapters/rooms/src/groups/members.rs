//! Members of rooms: roles, leaving, removal.

use std::sync::Arc;

use palabre_types::{Batch, Permission};

use super::Group;
use super::changes::NO_SUCH_ROOM;
use super::rows::{MEMBERSHIPS, MembershipRow, RoomRole};
use crate::accounts::error::AccountError;
use crate::accounts::rows::Account;
use crate::service::Rooms;

/// Maximum number of accounts with a role in a room.
const MEMBERS_MAX: usize = 20_000;

impl Rooms {
    /// Gives an account a role in a room, or takes its membership away.
    ///
    /// Members leave by themselves; everything else takes a higher level than that of the target. Owners name other
    /// owners. Nobody becomes a member without an invite.
    pub(crate) async fn change_member(
        self: &Arc<Self>,
        by: &str,
        room: &str,
        target: String,
        role: Option<RoomRole>,
    ) -> Result<(), AccountError> {
        let (rooms, by, room) = (Arc::clone(self), by.to_owned(), room.to_owned());
        self.run_to_end(async move {
            let turn = rooms.lock_groups().await?;
            let mut group = rooms.authority.groups.get(&room).ok_or(NO_SUCH_ROOM)?;
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
            rooms.authority.groups.set(&room, group);
            drop(turn);
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
            Some(RoomRole::Member | RoomRole::Muted | RoomRole::Banned) | None => theirs < own,
        };
        if !may {
            return Err(AccountError::Forbidden("your role in this room does not allow that"));
        }
        if current.is_none() && role >= Some(RoomRole::Member) {
            return Err(AccountError::Conflict("the account is no member of this room; invite it".to_owned()));
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

    /// Removes an account that is being deleted from a room.
    ///
    /// The member with the highest role becomes the owner if there is no other one. A room without members is deleted.
    pub(crate) async fn forget_member(self: &Arc<Self>, room: &str, account: &str) -> Result<(), AccountError> {
        let turn = self.lock_groups().await?;
        let Some(mut group) = self.authority.groups.get(room) else { return Ok(()) };
        let mut rows = Batch::default();
        MEMBERSHIPS.delete(&mut rows, &(room.to_owned(), account.to_owned()));
        group.members.remove(account);
        let heir = group.members.iter().filter(|(_, role)| **role >= RoomRole::Member).max_by_key(|(_, role)| **role);
        let heir = heir.map(|(id, role)| (id.clone(), *role));
        match heir {
            None => {
                self.close_group(room, group).await?;
                drop(turn);
                self.erase_group(room).await;
                return Ok(());
            }
            Some((_, RoomRole::Owner)) => {}
            Some((heir, _)) => {
                let membership = MembershipRow { role: RoomRole::Owner, since: self.clock.now() };
                MEMBERSHIPS.put(&mut rows, &(room.to_owned(), heir.clone()), &membership);
                group.members.insert(heir, RoomRole::Owner);
            }
        }
        self.write("a member whose account is deleted", rows).await?;
        self.authority.groups.set(room, group);
        Ok(())
    }
}
