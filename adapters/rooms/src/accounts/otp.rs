//! One-time codes of an authenticator app (TOTP, RFC 6238) as a second factor, with recovery codes.

use std::sync::Arc;

use palabre_platform::{EmitError, Entropy};
use palabre_types::{Batch, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp};

use super::error::AccountError;
use super::password::LENGTH_MAX;
use super::rows::{ACCOUNTS, Account, AccountRow};
use crate::limiter::Network;
use crate::service::Rooms;

/// Length of the secret, in bytes (RFC 4226, section 4, recommends 160 bits).
const SECRET_BYTES: usize = 20;
/// The name of the service in authenticator apps.
const ISSUER: &str = "Palabre";
/// Number of recovery codes.
const RECOVERY_CODES: usize = 10;

/// The second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OtpRow {
    /// The secret in Base32, as authenticator apps have it.
    secret: String,
    /// Whether a code was entered once. Until then logins do not ask for one.
    pub(super) is_confirmed: bool,
    /// The time step of the last code that was used: each works once.
    last_step: u64,
    /// Hashes of the recovery codes that are left.
    recovery: Vec<String>,
}

/// A request to begin with one-time codes, or to end them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with password")]
pub(crate) struct OtpRequest {
    pub(crate) password: String,
    /// A code, to end them.
    #[serde(default)]
    pub(crate) code: Option<String>,
}

impl OtpRow {
    fn fresh(entropy: &dyn Entropy) -> Self {
        let bytes = (0..SECRET_BYTES.div_ceil(8)).flat_map(|_| entropy.next().to_be_bytes());
        let secret = Secret::from(bytes.take(SECRET_BYTES).collect::<Vec<u8>>());
        Self { secret: secret.to_base32(), is_confirmed: false, last_step: 0, recovery: Vec::new() }
    }

    fn generator(&self, username: &str, issuer: &str) -> Result<Totp, AccountError> {
        let invalid = |error: &dyn std::fmt::Display| AccountError::Unavailable(format!("one-time codes: {error}"));
        let secret = Secret::try_from_base32(&self.secret).map_err(|error| invalid(&error))?;
        let builder = Builder::new().with_secret(secret).with_account_name(username).with_issuer(Some(issuer));
        builder.build().map_err(|error| invalid(&error))
    }

    /// Returns the second factor after a code was used, or `None` if the code is wrong or was used before.
    pub(super) fn after(&self, code: &str, username: &str, now: Millis) -> Result<Option<Self>, AccountError> {
        let code: String = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect();
        let hash = hash_of(&code.to_lowercase());
        if let Some(used) = self.recovery.iter().position(|known| *known == hash) {
            let mut left = self.clone();
            left.recovery.remove(used);
            return Ok(Some(left));
        }
        let step = self.generator(username, ISSUER)?.check(&code, now / 1_000);
        Ok(step.filter(|step| *step > self.last_step).map(|step| Self { last_step: step, ..self.clone() }))
    }
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
        let generator = otp.generator(&account.row.username, ISSUER)?;
        let url = generator.to_url().map_err(|error| AccountError::Unavailable(error.to_string()))?;
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

fn hash_of(code: &str) -> String {
    Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect()
}
