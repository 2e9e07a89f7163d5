//! Invites to rooms: made by moderators, accepted by accounts.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_store::Direction;
use palabre_types::{Batch, Millis};
use serde::Deserialize;

use super::changes::NO_SUCH_ROOM;
use super::rows::{INVITE_CODES, INVITES, InviteRow, MEMBERSHIPS, MembershipRow, RoomRole};
use crate::accounts::error::AccountError;
use crate::files::fresh_id;
use crate::service::Rooms;

/// Maximum number of open invites of a room.
const INVITES_MAX: usize = 100;
/// Maximum life of an invite, in days.
const DAYS_MAX: u32 = 365;
const DAY: Millis = 86_400_000;

/// A request for an invite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with uses and days")]
pub(crate) struct InviteRequest {
    /// Number of times that it can be used; any number if it is missing.
    #[serde(default)]
    uses: Option<u32>,
    /// Days after which it expires; 7 if it is missing.
    #[serde(default)]
    days: Option<u32>,
}

impl Rooms {
    /// Creates an invite to a room. Returns its code and row.
    pub(crate) async fn create_invite(
        self: &Arc<Self>,
        by: &str,
        room: &str,
        request: &InviteRequest,
    ) -> Result<(String, InviteRow), AccountError> {
        let days = request.days.unwrap_or(7);
        if !(1..=DAYS_MAX).contains(&days) || request.uses == Some(0) {
            return Err(AccountError::Invalid(format!("days must be from 1 to {DAYS_MAX}, and uses at least 1")));
        }
        // The room is not deleted meanwhile, and the number stays right.
        let _turn = self.lock_groups().await?;
        if !self.authority.groups.exists(room) {
            return Err(NO_SUCH_ROOM);
        }
        if self.invites(room).await?.len() >= INVITES_MAX {
            return Err(AccountError::Invalid(format!("the room has {INVITES_MAX} invites; revoke one first")));
        }
        let (code, now) = (fresh_id(&*self.entropy), self.clock.now());
        let expires = Some(now.saturating_add(Millis::from(days) * DAY));
        let row = InviteRow { created: now, created_by: by.to_owned(), expires, uses_left: request.uses };
        let mut rows = Batch::default();
        INVITES.put_until(&mut rows, &(room.to_owned(), code.clone()), &row, expires);
        INVITE_CODES.put_until(&mut rows, &code, &room.to_owned(), expires);
        self.write("a new invite", rows).await?;
        Ok((code, row))
    }

    /// Returns the open invites of a room, by code.
    pub(crate) async fn invites(&self, room: &str) -> Result<Vec<(String, InviteRow)>, AccountError> {
        let room = room.to_owned();
        self.read_store(move |snapshot| {
            let found = INVITES.scan(snapshot, &room, Direction::Forward)?;
            found.map(|row| row.map(|((_, code), row)| (code, row))).collect()
        })
        .await
    }

    /// Revokes an invite.
    pub(crate) async fn revoke_invite(&self, room: &str, code: &str) -> Result<(), AccountError> {
        let key = (room.to_owned(), code.to_owned());
        let found = {
            let key = key.clone();
            self.read_store(move |snapshot| INVITES.get(snapshot, &key)).await?
        };
        found.ok_or(AccountError::NotFound("the room has no such invite"))?;
        let mut rows = Batch::default();
        INVITES.delete(&mut rows, &key);
        INVITE_CODES.delete(&mut rows, &key.1);
        Ok(self.write("revocation of an invite", rows).await?)
    }

    /// Makes an account a member of the room of an invite. Returns the room.
    pub(crate) async fn accept_invite(self: &Arc<Self>, account: &str, code: String) -> Result<String, AccountError> {
        let (rooms, account) = (Arc::clone(self), account.to_owned());
        self.run_to_end(async move {
            let unknown = || AccountError::NotFound("there is no such invite, or it has expired or been used up");
            let asked = code.clone();
            let found = rooms.read_store(move |snapshot| {
                let Some(room) = INVITE_CODES.get(snapshot, &asked)? else { return Ok(None) };
                Ok(INVITES.get(snapshot, &(room.clone(), asked))?.map(|row| (room, row)))
            });
            let (room, invite) = found.await?.ok_or_else(unknown)?;
            let _turn = rooms.lock_groups().await?;
            let Some(mut group) = rooms.authority.groups.get(&room) else {
                return Err(AccountError::NotFound("the room of this invite does not exist any more"));
            };
            match group.members.get(&account) {
                // As if there were no such invite: the room is hidden from them.
                Some(RoomRole::Banned) => return Err(unknown()),
                Some(_) => return Ok(room),
                None => {}
            }
            let mut rows = Batch::default();
            let key = (room.clone(), code.clone());
            INVITES.require_equals(&mut rows, &key, &invite);
            match invite.uses_left {
                Some(1) => {
                    INVITES.delete(&mut rows, &key);
                    INVITE_CODES.delete(&mut rows, &code);
                }
                Some(left) => {
                    let used = InviteRow { uses_left: Some(left - 1), ..invite.clone() };
                    INVITES.put_until(&mut rows, &key, &used, invite.expires);
                }
                None => {}
            }
            let membership = MembershipRow { role: RoomRole::Member, since: rooms.clock.now() };
            MEMBERSHIPS.put(&mut rows, &(room.clone(), account.clone()), &membership);
            match rooms.write("a new member of a room", rows).await {
                Ok(()) => {
                    group.members.insert(account, RoomRole::Member);
                    rooms.authority.groups.set(&room, group);
                    Ok(room)
                }
                Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }
}
