//! Passwords: checked against rules, and hashed with Argon2id.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use palabre_platform::Entropy;
use tokio::sync::Semaphore;

use super::error::AccountError;

/// Minimum length, in characters (NIST SP 800-63B, section 3.1.1.2, for passwords with a rate limit).
const LENGTH_MIN: usize = 8;
/// Maximum length, in bytes, so that hashing has a bounded cost.
pub(super) const LENGTH_MAX: usize = 1_024;
/// Memory of one hash in KiB, and its passes (OWASP Password Storage Cheat Sheet, 2024: 19 MiB, 2, 1).
const MEMORY_KB: u32 = 19_456;
const PASSES: u32 = 2;
/// Number of hashes at a time: each takes a processor for some 30 ms.
const CONCURRENT_MAX: usize = 2;
/// Number of requests that wait for their turn; more are refused.
const WAITING_MAX: usize = 64;

/// Hashes and verifies passwords, a few at a time, on threads of their own.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { turns: semaphore(CONCURRENT_MAX), places: semaphore(CONCURRENT_MAX + WAITING_MAX) }
    }
}

impl Passwords {
    /// Returns the hash of a password as a PHC string.
    pub(crate) async fn hash(&self, password: String, entropy: &dyn Entropy) -> Result<String, AccountError> {
        let salt: Vec<u8> = [entropy.next(), entropy.next()].into_iter().flat_map(u64::to_be_bytes).collect();
        self.run(move || {
            let salt = SaltString::encode_b64(&salt)?;
            hasher()?.hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
        })
        .await?
        .map_err(|error| AccountError::Unavailable(error.to_string()))
    }

    /// Whether the password has that hash.
    ///
    /// Without a hash it takes as long and fails, so that the time does not tell which accounts
    /// exist.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, AccountError> {
        let verified = self.run(move || {
            let given = hash.as_deref().unwrap_or(NOBODY);
            let parsed = PasswordHash::new(given)?;
            let is_right = hasher()?.verify_password(password.as_bytes(), &parsed).is_ok();
            Ok::<bool, argon2::password_hash::Error>(is_right && hash.is_some())
        });
        verified.await?.map_err(|error| AccountError::Unavailable(error.to_string()))
    }

    async fn run<T: Send + 'static>(&self, hash: impl FnOnce() -> T + Send + 'static) -> Result<T, AccountError> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return Err(AccountError::Busy) };
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| AccountError::Unavailable(error.to_string()))?;
        // The permits go with the work, which goes on when the client goes away.
        Ok(tokio::task::spawn_blocking(move || {
            let result = hash();
            drop((place, turn));
            result
        })
        .await?)
    }
}

/// A hash with the usual parameters that no account has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn hasher() -> Result<Argon2<'static>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KB, PASSES, 1, None).map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Checks a new password.
pub(crate) fn check(password: &str, username: &str) -> Result<(), AccountError> {
    let problem = if password.chars().count() < LENGTH_MIN {
        format!("the password must have at least {LENGTH_MIN} characters")
    } else if password.len() > LENGTH_MAX {
        format!("the password must have at most {LENGTH_MAX} bytes")
    } else if password.to_lowercase() == username.to_lowercase() {
        "the password must not be the username".to_owned()
    } else {
        return Ok(());
    };
    Err(AccountError::Invalid(problem))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use palabre_platform::SeededEntropy;

    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only_and_nobody_has_one() {
        let (passwords, entropy) = (Passwords::default(), SeededEntropy::new(1));
        let hash = passwords.hash("correct horse".to_owned(), &entropy).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse".to_owned(), &entropy).await.unwrap());
        assert!(passwords.verify("correct horse".to_owned(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("correct horsf".to_owned(), Some(hash)).await.unwrap());
        assert!(!passwords.verify(String::new(), None).await.unwrap());
    }
}
