//! One-time codes of an authenticator app (TOTP, RFC 6238) as a second factor, with recovery codes.

use std::sync::Arc;

use palabre_platform::{EmitError, Entropy};
use palabre_types::Batch;
use serde::Deserialize;

use super::error::AccountError;
use super::password::LENGTH_MAX;
use super::rows::{ACCOUNTS, Account, AccountRow};
use super::second_factor::{OtpRow, hash_of};
use crate::limiter::Network;
use crate::service::Rooms;

/// Number of recovery codes.
const RECOVERY_CODES: usize = 10;

/// A request to begin with one-time codes, or to end them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with password")]
pub(crate) struct OtpRequest {
    pub(crate) password: String,
    /// A code, to end them.
    #[serde(default)]
    pub(crate) code: Option<String>,
}

impl Rooms {
    /// Begins with one-time codes. Returns the secret, and the address that authenticator apps read.
    pub(crate) async fn begin_otp(
        self: &Arc<Self>,
        account: &Account,
        password: String,
        network: Network,
    ) -> Result<(String, String), AccountError> {
        self.check_password(account, password, network).await?;
        if account.row.otp.as_ref().is_some_and(|otp| otp.is_confirmed) {
            return Err(AccountError::Conflict("one-time codes are on already; turn them off first".to_owned()));
        }
        let otp = OtpRow::fresh(&*self.entropy);
        let url = otp.url(&account.row.username)?;
        let secret = otp.secret.clone();
        self.replace_account(account, AccountRow { otp: Some(otp), ..account.row.clone() }).await?;
        Ok((secret, url))
    }

    /// Turns one-time codes on, once a code shows that the app has the secret. Returns the recovery codes.
    pub(crate) async fn confirm_otp(
        self: &Arc<Self>,
        account: &Account,
        code: &str,
        network: Network,
    ) -> Result<Vec<String>, AccountError> {
        self.limit_logins(network, &account.row.username)?;
        self.limit_codes(&account.id)?;
        let begun = account.row.otp.as_ref().filter(|otp| !otp.is_confirmed);
        let begun = begun.ok_or_else(|| AccountError::Conflict("begin with one-time codes first".to_owned()))?;
        let used = begun.after(code, &account.row.username, self.clock.now())?.ok_or(AccountError::WrongCode)?;
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(&*self.entropy)).collect();
        let recovery = codes.iter().map(|code| hash_of(&code.replace('-', ""))).collect();
        let otp = OtpRow { is_confirmed: true, recovery, ..used };
        self.replace_account(account, AccountRow { otp: Some(otp), ..account.row.clone() }).await?;
        Ok(codes)
    }

    /// Turns one-time codes off.
    pub(crate) async fn end_otp(
        self: &Arc<Self>,
        account: &Account,
        request: OtpRequest,
        network: Network,
    ) -> Result<(), AccountError> {
        self.check_password(account, request.password, network).await?;
        let Some(otp) = &account.row.otp else { return Ok(()) };
        if otp.is_confirmed {
            let code = request.code.ok_or(AccountError::CodeRequired)?;
            self.limit_codes(&account.id)?;
            otp.after(&code, &account.row.username, self.clock.now())?.ok_or(AccountError::WrongCode)?;
        }
        self.replace_account(account, AccountRow { otp: None, ..account.row.clone() }).await
    }

    /// Checks the password of an account that is signed in.
    pub(super) async fn check_password(
        &self,
        account: &Account,
        password: String,
        network: Network,
    ) -> Result<(), AccountError> {
        if password.len() > LENGTH_MAX {
            return Err(AccountError::WrongCredentials);
        }
        self.limit_logins(network, &account.row.username)?;
        let is_right = self.passwords.verify(password, Some(account.row.password.clone())).await?;
        if is_right { Ok(()) } else { Err(AccountError::WrongCredentials) }
    }

    /// Replaces the row of an account, unless it was changed meanwhile.
    pub(super) async fn replace_account(&self, account: &Account, row: AccountRow) -> Result<(), AccountError> {
        let mut rows = Batch::default();
        ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
        ACCOUNTS.put(&mut rows, &account.id, &row);
        match self.write("a change of an account", rows).await {
            Ok(()) => Ok(()),
            Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns a code of 80 random bits, in two groups.
fn recovery_code(entropy: &dyn Entropy) -> String {
    let bits = (u128::from(entropy.next()) << 64 | u128::from(entropy.next())) & ((1 << 80) - 1);
    let digits = format!("{bits:020x}");
    let (first, second) = digits.split_at(10);
    format!("{first}-{second}")
}
