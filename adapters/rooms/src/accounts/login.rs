//! Logins, the end of sessions and access tokens, and changes of passwords.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_text::composed;
use palabre_types::Batch;
use serde::Deserialize;

use super::credential::{self, Credential, Token};
use super::error::AccountError;
use super::password::{self, LENGTH_MAX};
use super::registration::{EMAIL_MAX, Registration};
use super::rows::{ACCOUNTS, Account, AccountRow, CREDENTIALS};
use crate::limiter::{Network, Verdict, Who};
use crate::limits::Kind;
use crate::service::Rooms;

/// A request for a session.
#[derive(Debug, Deserialize)]
#[serde(expecting = "an object with username and password")]
pub(crate) struct Login {
    /// The username or the e-mail address.
    pub(crate) username: String,
    pub(crate) password: String,
    /// A one-time code, if the account has a second factor.
    #[serde(default)]
    pub(crate) code: Option<String>,
}

/// A request for another password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with current and new")]
pub(crate) struct PasswordChange {
    pub(crate) current: String,
    pub(crate) new: String,
}

impl Rooms {
    /// Checks the password and opens a session. `label` is the program of the person.
    pub(crate) async fn log_in(
        self: &Arc<Self>,
        login: Login,
        label: &str,
        network: Network,
    ) -> Result<(Account, Token), AccountError> {
        let Login { username, password, code } = login;
        // Longer ones cannot be right, and would fill the memory of the limits.
        if username.len() > EMAIL_MAX || password.len() > LENGTH_MAX {
            return Err(AccountError::WrongCredentials);
        }
        self.limit_logins(network, &username)?;
        let found = self.read_store(move |snapshot| Account::find_by_login(snapshot, &username)).await?;
        // A bot account has no password, and is refused as if there were none of that name.
        let found = found.filter(|account| !account.is_bot());
        let hash = found.as_ref().map(|account| account.row.password.clone());
        let is_right = self.passwords.verify(password, hash).await?;
        let account = found.filter(|_| is_right).ok_or(AccountError::WrongCredentials)?;
        let account = self.use_code(account, code).await?;
        let token = self.open_session(&account, label).await?;
        Ok((account, token))
    }

    /// Checks the one-time code of an account that needs one, and records its use: it works once.
    async fn use_code(&self, account: Account, code: Option<String>) -> Result<Account, AccountError> {
        let Some(otp) = account.row.otp.as_ref().filter(|otp| otp.is_confirmed) else { return Ok(account) };
        let code = code.filter(|code| !code.trim().is_empty()).ok_or(AccountError::CodeRequired)?;
        self.limit_codes(&account.id)?;
        let used = otp.after(&code, &account.row.username, self.clock.now())?.ok_or(AccountError::WrongCode)?;
        let row = AccountRow { otp: Some(used), ..account.row.clone() };
        self.replace_account(&account, row.clone()).await?;
        Ok(Account { row, ..account })
    }

    /// Creates an account and opens its first session.
    pub(crate) async fn sign_up(
        self: &Arc<Self>,
        registration: Registration,
        label: &str,
        network: Network,
    ) -> Result<(Account, Token), AccountError> {
        let account = self.register_account(registration, network).await?;
        let token = self.open_session(&account, label).await?;
        Ok((account, token))
    }

    /// Revokes the credential with a public id.
    pub(crate) async fn revoke(self: &Arc<Self>, account: &Account, id: &str) -> Result<(), AccountError> {
        let owner = account.id.clone();
        let known = self.read_store(move |snapshot| credential::list(snapshot, &owner)).await?;
        let found = known.into_iter().find(|(hash, _)| credential::public_id(hash) == id);
        let (hash, _) = found.ok_or(AccountError::NotFound("the account has no such session or token"))?;
        let mut rows = Batch::default();
        CREDENTIALS.delete(&mut rows, &(account.id.clone(), hash.clone()));
        let rooms = Arc::clone(self);
        self.run_to_end(async move {
            rooms.write("a credential was revoked", rows).await?;
            rooms.open_sockets.end(&hash);
            Ok(())
        })
        .await
    }

    /// Changes the password. All other sessions end, and all tokens are revoked.
    pub(crate) async fn change_password(
        self: &Arc<Self>,
        credential: &Credential,
        change: PasswordChange,
        network: Network,
    ) -> Result<(), AccountError> {
        let account = &credential.account;
        password::check(&change.new, &account.row.username)?;
        if change.current.len() > LENGTH_MAX {
            return Err(AccountError::WrongCredentials);
        }
        self.limit_logins(network, &account.row.username)?;
        if !self.passwords.verify(change.current, Some(account.row.password.clone())).await? {
            return Err(AccountError::WrongCredentials);
        }
        let password = self.passwords.hash(change.new, &*self.entropy).await?;
        let row = AccountRow { password, generation: account.row.generation.saturating_add(1), ..account.row.clone() };
        let (rooms, credential) = (Arc::clone(self), credential.clone());
        self.run_to_end(async move {
            let account = &credential.account;
            // No credential is added meanwhile.
            let _lock = rooms.issuing.lock(&account.id).await.ok_or(AccountError::Busy)?;
            let id = account.id.clone();
            let known = rooms.read_store(move |snapshot| credential::list(snapshot, &id)).await?;
            let mut rows = Batch::default();
            ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
            ACCOUNTS.put(&mut rows, &account.id, &row);
            credential.renew(&mut rows, row.generation);
            let others: Vec<String> =
                known.into_iter().map(|(hash, _)| hash).filter(|hash| hash != credential.hash()).collect();
            for hash in &others {
                CREDENTIALS.delete(&mut rows, &(account.id.clone(), hash.clone()));
            }
            match rooms.write("another password", rows).await {
                Ok(()) => {
                    others.iter().for_each(|hash| rooms.open_sockets.end(hash));
                    Ok(())
                }
                Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
                Err(error) => Err(error.into()),
            }
        })
        .await
    }

    /// Counts a one-time code against the limit of its account: with the password, it could be guessed otherwise.
    pub(super) fn limit_codes(&self, account: &str) -> Result<(), AccountError> {
        match self.limiter.take(Kind::Code, &[Who::Person(None, account.into())]) {
            Verdict::Refused(wait) => Err(AccountError::TooMany(wait)),
            Verdict::Pass | Verdict::Late(_) => Ok(()),
        }
    }

    /// Counts an attempt against the limits of its address, and of its account from there and from anywhere.
    ///
    /// The last is larger, so that nobody locks another person out from one address.
    pub(super) fn limit_logins(&self, network: Network, username: &str) -> Result<(), AccountError> {
        let account: Arc<str> = composed(username.trim()).to_lowercase().into();
        let who = [Who::Address(network), Who::Person(network, Arc::clone(&account)), Who::Anywhere(account)];
        match self.limiter.take(Kind::Login, &who) {
            Verdict::Refused(wait) => Err(AccountError::TooMany(wait)),
            Verdict::Pass | Verdict::Late(_) => Ok(()),
        }
    }
}
