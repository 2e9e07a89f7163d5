//! The second factor of an account: one-time codes (TOTP, RFC 6238), and recovery codes.

use palabre_platform::Entropy;
use palabre_types::Millis;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use totp_rs::{Builder, Secret, Totp};

use super::error::AccountError;

/// Length of the secret, in bytes (RFC 4226, section 4, recommends 160 bits).
const SECRET_BYTES: usize = 20;
/// The name of the service in authenticator apps.
const ISSUER: &str = "Palabre";

/// The second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OtpRow {
    /// The secret in Base32, as authenticator apps have it.
    pub(super) secret: String,
    /// Whether a code was entered once. Until then logins do not ask for one.
    pub(super) is_confirmed: bool,
    /// The time step of the last code that was used: each works once.
    pub(super) last_step: u64,
    /// Hashes of the recovery codes that are left.
    pub(super) recovery: Vec<String>,
}

impl OtpRow {
    /// Returns a new factor, which is not confirmed.
    pub(super) fn fresh(entropy: &dyn Entropy) -> Self {
        let bytes = (0..SECRET_BYTES.div_ceil(8)).flat_map(|_| entropy.next().to_be_bytes());
        let secret = Secret::from(bytes.take(SECRET_BYTES).collect::<Vec<u8>>());
        Self { secret: secret.to_base32(), is_confirmed: false, last_step: 0, recovery: Vec::new() }
    }

    /// Returns the address that authenticator apps read.
    pub(super) fn url(&self, username: &str) -> Result<String, AccountError> {
        self.generator(username)?.to_url().map_err(|error| AccountError::Unavailable(error.to_string()))
    }

    fn generator(&self, username: &str) -> Result<Totp, AccountError> {
        let invalid = |error: &dyn std::fmt::Display| AccountError::Unavailable(format!("one-time codes: {error}"));
        let secret = Secret::try_from_base32(&self.secret).map_err(|error| invalid(&error))?;
        let builder = Builder::new().with_secret(secret).with_account_name(username).with_issuer(Some(ISSUER));
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
        let step = self.generator(username)?.check(&code, now / 1_000);
        Ok(step.filter(|step| *step > self.last_step).map(|step| Self { last_step: step, ..self.clone() }))
    }
}

/// Returns the hash under which a recovery code is stored.
pub(super) fn hash_of(code: &str) -> String {
    Sha256::digest(code).iter().map(|byte| format!("{byte:02x}")).collect()
}
