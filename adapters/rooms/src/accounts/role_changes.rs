//! Changes of roles in the whole service, and who may make them.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_types::{Batch, Permission};

use super::error::AccountError;
use super::rows::{ACCOUNTS, Account, AccountRow};
use crate::service::Rooms;

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
        if account.is_bot() && role >= Permission::Admin {
            return Err(AccountError::Invalid("a bot account is a moderator at most".to_owned()));
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

    /// Returns the path at which the owner registers, as long as there is no owner.
    ///
    /// It works once, and until the next start.
    #[must_use]
    pub fn owner_path(&self) -> Option<String> {
        // Before the roles are read, nobody knows.
        if self.context.borrow().is_none() || self.authority.roles.has_owner() {
            return None;
        }
        let secret = self.owner_link.make(&*self.entropy);
        Some(format!("/register-page?owner={secret}"))
    }
}
