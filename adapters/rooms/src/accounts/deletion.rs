//! Deletion of an account with its data: messages, files, private conversations, sessions and memberships.
//!
//! The account is closed first and erased then, so that a restart in between completes it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use palabre_platform::EmitError;
use palabre_store::Direction;
use palabre_types::{Batch, Permission};
use serde::Deserialize;
use tokio::sync::oneshot;

use super::credential::{self, Credential};
use super::error::AccountError;
use super::rows::{ACCOUNTS, Account, AccountRow, CREDENTIALS, EMAILS, NAMES};
use crate::conversation::{belongs_to, is_hidden};
use crate::groups::rows::RoomRole;
use crate::history::{MESSAGES, ROOMS};
use crate::limiter::Network;
use crate::read_markers;
use crate::room::command::Command;
use crate::service::Rooms;

/// Delay before a deletion that has failed is tried once more.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// A request to delete one's own account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with password")]
pub(crate) struct Deletion {
    pub(crate) password: String,
}

impl Rooms {
    /// Deletes an account. The name is free afterwards.
    pub(crate) async fn delete_account(
        self: &Arc<Self>,
        credential: &Credential,
        deletion: Deletion,
        network: Network,
    ) -> Result<(), AccountError> {
        let account = credential.account.clone();
        self.check_password(&account, deletion.password, network).await?;
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            {
                let _one = rooms.role_changes.lock().await;
                let is_owner = account.row.role == Permission::Owner;
                if is_owner && rooms.authority.roles.count(Permission::Owner) == 1 {
                    let problem = "this is the only owner of the service; name another one first";
                    return Err(AccountError::Conflict(problem.to_owned()));
                }
                rooms.check_owned_rooms(&account.id)?;
                rooms.close_account(&account).await?;
            }
            rooms.erase_account(account).await;
            Ok(())
        })
        .await
    }

    /// Refuses the deletion of the only owner of a room that others are members of.
    fn check_owned_rooms(&self, account: &str) -> Result<(), AccountError> {
        let groups = &self.authority.groups;
        let owned = groups.of_account(account).into_iter().filter(|(_, role)| *role == RoomRole::Owner);
        let needed: Vec<String> = owned
            .map(|(room, _)| room)
            .filter(|room| {
                let others = groups.get(room).map(|group| group.members).unwrap_or_default();
                let mut others = others.iter().filter(|(id, role)| *id != account && **role >= RoomRole::Member);
                let is_shared = others.clone().next().is_some();
                is_shared && !others.any(|(_, role)| *role == RoomRole::Owner)
            })
            .collect();
        if needed.is_empty() {
            return Ok(());
        }
        let rooms = needed.join(", ");
        Err(AccountError::Conflict(format!("name another owner of these rooms first, or delete them: {rooms}")))
    }

    /// Makes the account unusable: nobody can sign in, and all sessions and tokens end.
    pub(super) async fn close_account(&self, account: &Account) -> Result<(), AccountError> {
        // No credential is added meanwhile.
        let _lock = self.issuing.lock(&account.id).await.ok_or(AccountError::Busy)?;
        let id = account.id.clone();
        let known = self.read_store(move |snapshot| credential::list(snapshot, &id)).await?;
        let mut rows = Batch::default();
        ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
        let generation = account.row.generation.saturating_add(1);
        let closed = AccountRow { is_deleted: true, password: String::new(), generation, ..account.row.clone() };
        ACCOUNTS.put(&mut rows, &account.id, &closed);
        for (hash, _) in &known {
            CREDENTIALS.delete(&mut rows, &(account.id.clone(), hash.clone()));
        }
        match self.write("an account that is being deleted", rows).await {
            Ok(()) => {}
            Err(EmitError::Refused) => return Err(AccountError::changed_elsewhere()),
            Err(error) => return Err(error.into()),
        }
        self.authority.roles.close(&account.id);
        known.iter().for_each(|(hash, _)| self.open_sockets.end(hash));
        Ok(())
    }

    /// Erases a closed account with its bot accounts. What fails is tried once more later, in the background.
    pub(super) async fn erase_account(self: &Arc<Self>, account: Account) {
        let Err(error) = self.try_to_erase_account(&account).await else { return };
        tracing::warn!(account = account.id, "cannot complete the deletion of an account, trying on: {error}");
        let rooms = Arc::clone(self);
        self.spawn(async move {
            loop {
                tokio::time::sleep(RETRY_DELAY).await;
                if rooms.try_to_erase_account(&account).await.is_ok() {
                    return;
                }
            }
        });
    }

    async fn try_to_erase_account(self: &Arc<Self>, account: &Account) -> Result<(), AccountError> {
        self.erase_bots(&account.id).await?;
        self.erase_one(account).await
    }

    /// Completes the deletion of one closed account.
    pub(super) async fn erase_one(self: &Arc<Self>, account: &Account) -> Result<(), AccountError> {
        for (room, _) in self.authority.groups.all_of_account(&account.id) {
            self.forget_member(&room, &account.id).await?;
        }
        loop {
            let id = account.id.clone();
            let left = self.read_store(move |snapshot| rooms_with(snapshot, &id)).await?;
            if left.is_empty() {
                break;
            }
            for room in left {
                if is_hidden(&room) {
                    self.erase_room(&room).await?;
                } else {
                    self.erase_messages(&room, &account.id).await?;
                }
            }
        }
        let id = account.id.clone();
        let read = self.read_store(move |snapshot| {
            let mut rows = Batch::default();
            read_markers::forget(snapshot, &id, &mut rows)?;
            for (hash, _) in credential::list(snapshot, &id)? {
                CREDENTIALS.delete(&mut rows, &(id.clone(), hash));
            }
            Ok(rows)
        });
        let mut rows = read.await?;
        ACCOUNTS.delete(&mut rows, &account.id);
        NAMES.delete(&mut rows, &palabre_text::skeleton(&account.row.username));
        if !account.is_bot() {
            EMAILS.delete(&mut rows, &account.row.email);
        }
        self.write("deletion of an account", rows).await?;
        self.authority.bots.remove(&account.id);
        self.account_names.remove(&account.row.username);
        Ok(())
    }

    /// Deletes all messages of an account in a room.
    async fn erase_messages(&self, room: &str, author: &str) -> Result<(), AccountError> {
        loop {
            let open = self.open_room(room).map_err(AccountError::Unavailable)?;
            let (answer, erased) = oneshot::channel();
            let command = Command::EraseAuthor { author: author.to_owned(), answer };
            let closed = || AccountError::Unavailable("the room was closed meanwhile".to_owned());
            open.send(command).await.map_err(|_closed| closed())?;
            if erased.await.map_err(|_closed| closed())?.map_err(AccountError::Unavailable)? == 0 {
                return Ok(());
            }
        }
    }

    /// Completes the deletions of accounts that a restart has interrupted.
    pub(crate) async fn resume_account_deletions(self: &Arc<Self>) -> Result<(), AccountError> {
        let closed = self.read_store(|snapshot| {
            let all = ACCOUNTS.scan(snapshot, &Vec::new(), Direction::Forward)?;
            let closed = all.filter(|row| row.as_ref().map_or(true, |(_, row)| row.is_deleted));
            closed.map(|row| row.map(|(id, row)| Account { id, row })).collect::<palabre_store::Result<Vec<_>>>()
        });
        let closed = closed.await?;
        let ids: BTreeSet<String> = closed.iter().map(|account| account.id.clone()).collect();
        for account in closed {
            self.authority.roles.close(&account.id);
            // Those of another closed account are deleted with it.
            if account.row.bot_owner.as_ref().is_none_or(|owner| !ids.contains(owner)) {
                self.erase_account(account).await;
            }
        }
        Ok(())
    }
}

/// Returns the rooms in which an account has written, and its private conversations.
fn rooms_with(snapshot: &palabre_store::Snapshot, account: &str) -> palabre_store::Result<BTreeSet<String>> {
    let mut rooms = BTreeSet::new();
    for row in ROOMS.scan(snapshot, &Vec::new(), Direction::Forward)? {
        let (room, _) = row?;
        if is_hidden(&room) {
            if belongs_to(&room, account) {
                rooms.insert(room);
            }
            continue;
        }
        for row in MESSAGES.scan(snapshot, &room, Direction::Forward)? {
            if row?.1.author.as_deref() == Some(account) {
                rooms.insert(room);
                break;
            }
        }
    }
    Ok(rooms)
}
