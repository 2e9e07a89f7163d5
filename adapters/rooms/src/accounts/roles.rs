//! Roles of accounts in the whole service, in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use palabre_store::{Direction, Result as StoreResult, Store};
use palabre_types::Permission;

use super::rows::{ACCOUNTS, is_account_id};

/// The roles of accounts that are more than members, in memory: rooms decide by them without waiting.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    raised: RwLock<HashMap<String, Permission>>,
    /// Accounts that are being deleted, or were since the start.
    closed: RwLock<HashSet<String>>,
}

impl Roles {
    /// Reads the roles of all accounts.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<()> {
        let snapshot = store.snapshot(0)?;
        let mut roles = HashMap::new();
        for row in ACCOUNTS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (id, row) = row?;
            if row.role > Permission::Member && !row.is_deleted {
                roles.insert(id, row.role);
            }
        }
        *self.raised.write().unwrap_or_else(PoisonError::into_inner) = roles;
        Ok(())
    }

    /// Returns the role of a person: of an account by its id, and `Everyone` for a guest.
    pub(crate) fn of(&self, person: &str) -> Permission {
        if !is_account_id(person) {
            return Permission::Everyone;
        }
        let roles = self.raised.read().unwrap_or_else(PoisonError::into_inner);
        roles.get(person).copied().unwrap_or(Permission::Member)
    }

    /// Whether there is an owner.
    pub(crate) fn has_owner(&self) -> bool {
        self.count(Permission::Owner) > 0
    }

    pub(super) fn count(&self, role: Permission) -> usize {
        let roles = self.raised.read().unwrap_or_else(PoisonError::into_inner);
        roles.values().filter(|other| **other == role).count()
    }

    /// Records the role of an account.
    pub(crate) fn set(&self, account: &str, role: Permission) {
        let mut roles = self.raised.write().unwrap_or_else(PoisonError::into_inner);
        if role > Permission::Member {
            roles.insert(account.to_owned(), role);
        } else {
            roles.remove(account);
        }
    }

    /// Records that an account is being deleted: nothing more is accepted from it.
    pub(super) fn close(&self, account: &str) {
        self.set(account, Permission::Member);
        self.closed.write().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned());
    }

    /// Whether an account is being deleted, or was since the start.
    pub(crate) fn is_closed(&self, account: &str) -> bool {
        self.closed.read().unwrap_or_else(PoisonError::into_inner).contains(account)
    }
}
