//! Bot accounts: programs with a name of their own, which belong to the account of a person.

use std::sync::Arc;

use palabre_types::Permission;

use super::error::AccountError;
use super::rows::{ACCOUNTS, Account, AccountRow, Profile};
use crate::limiter::Network;
use crate::service::Rooms;

/// Maximum number of bot accounts of a person.
const BOTS_MAX: usize = 20;

impl Rooms {
    /// Creates a bot account. It has no password: programs use it with access tokens.
    pub(crate) async fn create_bot(
        self: &Arc<Self>,
        owner: &Account,
        username: &str,
        network: Network,
    ) -> Result<Account, AccountError> {
        let username = self.check_username(username)?;
        self.limit_registrations(network, &username)?;
        if let Some(problem) = self.taken(&username, "").await? {
            return Err(AccountError::Invalid(problem));
        }
        let row = AccountRow {
            username,
            email: String::new(),
            password: String::new(),
            created: self.clock.now(),
            generation: 0,
            profile: Profile::default(),
            role: Permission::Member,
            otp: None,
            bot_owner: Some(owner.id.clone()),
            is_deleted: false,
        };
        let bot = Account { id: format!("{:016x}", self.entropy.next()), row };
        let (rooms, owner) = (Arc::clone(self), owner.clone());
        self.run_to_end(async move {
            // Otherwise two requests could both be the last one below the maximum.
            let _lock = rooms.issuing.lock(&owner.id).await.ok_or(AccountError::Busy)?;
            if rooms.authority.bots.of_owner(&owner.id).len() >= BOTS_MAX {
                return Err(AccountError::Conflict(format!("you have {BOTS_MAX} bots; delete one first")));
            }
            let bot = rooms.add_account(bot, Some(&owner)).await?;
            rooms.authority.bots.add(&bot.id, &owner.id);
            Ok(bot)
        })
        .await
    }

    /// Returns the bot accounts of an account.
    pub(crate) async fn bots_of(&self, owner: &Account) -> Result<Vec<Account>, AccountError> {
        let ids = self.authority.bots.of_owner(&owner.id);
        self.read_store(move |snapshot| ids.iter().filter_map(|id| Account::find(snapshot, id).transpose()).collect())
            .await
    }

    /// Returns a bot account of an account.
    pub(crate) async fn bot_of(&self, owner: &Account, id: String) -> Result<Account, AccountError> {
        let found = self.read_store(move |snapshot| Account::find(snapshot, &id)).await?;
        let own = found.filter(|bot| bot.row.bot_owner.as_ref() == Some(&owner.id));
        own.ok_or(AccountError::NotFound("you have no such bot"))
    }

    /// Deletes a bot account with its messages and tokens. The name is free afterwards.
    pub(crate) async fn delete_bot(self: &Arc<Self>, owner: &Account, id: String) -> Result<(), AccountError> {
        let bot = self.bot_of(owner, id).await?;
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            rooms.close_account(&bot).await?;
            rooms.erase_one(&bot).await
        })
        .await
    }

    /// Deletes the bot accounts of an account that is being deleted.
    pub(super) async fn erase_bots(self: &Arc<Self>, owner: &str) -> Result<(), AccountError> {
        let ids = self.authority.bots.of_owner(owner);
        let read = self.read_store(move |snapshot| {
            let mut bots = Vec::new();
            for id in ids {
                // With those whose deletion was interrupted.
                if let Some(row) = ACCOUNTS.get(snapshot, &id)? {
                    bots.push(Account { id, row });
                }
            }
            Ok(bots)
        });
        for bot in read.await? {
            if !bot.row.is_deleted {
                self.close_account(&bot).await?;
            }
            self.erase_one(&bot).await?;
        }
        Ok(())
    }
}
