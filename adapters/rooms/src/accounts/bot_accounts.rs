//! Bot accounts in memory, with their owners: rooms tell programs from people without waiting.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use palabre_store::{Direction, Result as StoreResult, Store};

use super::rows::ACCOUNTS;

/// The owners of all bot accounts, by the id of the bot account.
#[derive(Debug, Default)]
pub(crate) struct BotAccounts(RwLock<HashMap<String, String>>);

impl BotAccounts {
    /// Reads all of them from the store, with those whose deletion has begun.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<()> {
        let snapshot = store.snapshot(0)?;
        let mut owners = HashMap::new();
        for row in ACCOUNTS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (id, row) = row?;
            if let Some(owner) = row.bot_owner {
                owners.insert(id, owner);
            }
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = owners;
        Ok(())
    }

    /// Whether an account is a bot account.
    pub(crate) fn contains(&self, account: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(account)
    }

    /// Returns the ids of the bot accounts of an owner, in order.
    pub(super) fn of_owner(&self, owner: &str) -> Vec<String> {
        let owners = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut bots: Vec<String> =
            owners.iter().filter(|(_, other)| *other == owner).map(|(bot, _)| bot.clone()).collect();
        bots.sort_unstable();
        bots
    }

    pub(super) fn add(&self, bot: &str, owner: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(bot.to_owned(), owner.to_owned());
    }

    pub(super) fn remove(&self, account: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(account);
    }
}
