//! Roles of accounts in the whole service, in memory.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use palabre_store::{Direction, Result as StoreResult, Store};
use palabre_types::Permission;

use super::rows::{ACCOUNTS, is_account_id};

/// The roles of accounts that are more than members, in memory: rooms decide by them without waiting.
#[derive(Debug, Default)]
pub(crate) struct Roles(RwLock<HashMap<String, Permission>>);

impl Roles {
    /// Reads the roles of all accounts.
    pub(crate) fn load(&self, store: &Store) -> StoreResult<()> {
        let snapshot = store.snapshot(0)?;
        let mut roles = HashMap::new();
        for row in ACCOUNTS.scan(&snapshot, &Vec::new(), Direction::Forward)? {
            let (id, row) = row?;
            if row.role > Permission::Member {
                roles.insert(id, row.role);
            }
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = roles;
        Ok(())
    }

    /// Returns the role of a person: of an account by its id, and `Everyone` for a guest.
    pub(crate) fn of(&self, person: &str) -> Permission {
        if !is_account_id(person) {
            return Permission::Everyone;
        }
        let roles = self.0.read().unwrap_or_else(PoisonError::into_inner);
        roles.get(person).copied().unwrap_or(Permission::Member)
    }

    /// Whether there is an owner.
    pub(crate) fn has_owner(&self) -> bool {
        self.count(Permission::Owner) > 0
    }

    pub(super) fn count(&self, role: Permission) -> usize {
        let roles = self.0.read().unwrap_or_else(PoisonError::into_inner);
        roles.values().filter(|other| **other == role).count()
    }

    /// Records the role of an account.
    pub(crate) fn set(&self, account: &str, role: Permission) {
        let mut roles = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if role > Permission::Member {
            roles.insert(account.to_owned(), role);
        } else {
            roles.remove(account);
        }
    }
}
