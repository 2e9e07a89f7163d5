//! Roles of accounts in the whole service, and who may change them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use palabre_platform::EmitError;
use palabre_store::{Direction, Result as StoreResult, Store};
use palabre_types::{Batch, Permission};

use super::error::AccountError;
use super::rows::{ACCOUNTS, Account, AccountRow};
use crate::service::Rooms;

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
        if !super::rows::is_account_id(person) {
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

impl Rooms {
    /// Gives an account another role. Returns the account.
    ///
    /// Only an administrator or owner may do so, for accounts and roles below their own. Owners also
    /// name other owners, and step down if another one is left.
    pub(crate) async fn change_role(
        self: &Arc<Self>,
        by: &str,
        target: String,
        role: Permission,
    ) -> Result<Account, AccountError> {
        let rooms = Arc::clone(self);
        let by = by.to_owned();
        self.run_to_end(async move {
            // One change after the other: the last owner cannot step down twice.
            let _one = rooms.role_changes.lock().await;
            let found = rooms.read_store(move |snapshot| Account::find(snapshot, &target)).await?;
            let account = found.ok_or(AccountError::NotFound("there is no such account"))?;
            rooms.check_role_change(&by, &account, role)?;
            let changed = Account { row: AccountRow { role, ..account.row.clone() }, ..account.clone() };
            let mut rows = Batch::default();
            ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
            ACCOUNTS.put(&mut rows, &account.id, &changed.row);
            match rooms.write("another role of an account", rows).await {
                Ok(()) => {
                    rooms.authority.roles.set(&changed.id, role);
                    tracing::info!(account = %changed.row.username, role = role.as_str(), by, "changed a role");
                    Ok(changed)
                }
                Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    fn check_role_change(&self, by: &str, account: &Account, role: Permission) -> Result<(), AccountError> {
        let (own, theirs) = (self.authority.roles.of(by), account.row.role);
        if own < Permission::Admin {
            return Err(AccountError::Forbidden("only an administrator or owner can change roles"));
        }
        if role == Permission::Everyone {
            return Err(AccountError::Invalid("an account has at least the role member".to_owned()));
        }
        let is_owner = own == Permission::Owner;
        if !is_owner && (theirs >= own || role >= own) {
            return Err(AccountError::Forbidden("you can change only roles below your own, to roles below your own"));
        }
        if theirs == Permission::Owner
            && role != Permission::Owner
            && self.authority.roles.count(Permission::Owner) == 1
        {
            return Err(AccountError::Invalid("this is the only owner; name another one first".to_owned()));
        }
        Ok(())
    }
}
