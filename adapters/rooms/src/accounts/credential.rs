//! Tokens of sessions and programs.
//!
//! A token names its account, so that the row is found by it. Only its hash is stored.

use palabre_platform::Entropy;
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Batch, Millis};
use sha2::{Digest, Sha256};

use super::rows::{Account, CREDENTIALS, CredentialKind, CredentialRow, Scope, is_account_id, is_hexadecimal};

/// The beginning of every token, by which leaked ones are found in public code.
const PREFIX: &str = "plb_";
/// Length of the secret of a token: 256 bits in hexadecimal.
const SECRET_LENGTH: usize = 64;
/// Length of the part of the hash that identifies a credential to its owner.
const PUBLIC_ID_LENGTH: usize = 16;
/// Time for which an unused session lives.
pub(crate) const SESSION_LIFE: Millis = 30 * 86_400_000;
/// The use of a credential is recorded at most this often.
const RECORD_INTERVAL: Millis = 3_600_000;

/// A new token, which is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    account: String,
}

impl Token {
    pub(crate) fn fresh(account: &str, entropy: &dyn Entropy) -> Self {
        let secret: String = (0..4).map(|_| format!("{:016x}", entropy.next())).collect();
        Self { text: format!("{PREFIX}{account}_{secret}"), account: account.to_owned() }
    }

    /// Returns the token in a text, or `None` if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (account, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_secret = secret.len() == SECRET_LENGTH && is_hexadecimal(secret);
        (is_account_id(account) && is_secret).then(|| Self { text: text.to_owned(), account: account.to_owned() })
    }

    /// Returns the key of its row.
    pub(crate) fn key(&self) -> (String, String) {
        let hash = Sha256::digest(&self.text).iter().map(|byte| format!("{byte:02x}")).collect();
        (self.account.clone(), hash)
    }
}

/// A credential that was presented and is valid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Credential {
    pub(crate) account: Account,
    key: (String, String),
    row: CredentialRow,
    is_extended: bool,
}

impl Credential {
    /// Returns the valid credential with the key of a token.
    pub(crate) fn find(snapshot: &Snapshot, key: (String, String)) -> Result<Option<Self>> {
        let Some(row) = CREDENTIALS.get(snapshot, &key)? else { return Ok(None) };
        let account = Account::find(snapshot, &key.0)?.filter(|account| account.row.generation == row.generation);
        Ok(account.map(|account| Self { account, key, row, is_extended: false }))
    }

    /// Adds that the credential stays valid in another generation of its account.
    pub(crate) fn renew(&self, rows: &mut Batch, generation: u32) {
        let row = CredentialRow { generation, ..self.row.clone() };
        CREDENTIALS.require_equals(rows, &self.key, &self.row);
        CREDENTIALS.put_until(rows, &self.key, &row, row.expires);
    }

    pub(crate) fn allows(&self, scope: Scope) -> bool {
        self.row.scopes.contains(&scope)
    }

    pub(crate) fn is_session(&self) -> bool {
        self.row.kind == CredentialKind::Session
    }

    pub(crate) fn key(&self) -> &(String, String) {
        &self.key
    }

    /// Returns the time at which it expires; a session expires later if it is used.
    pub(crate) fn expires(&self) -> Option<Millis> {
        self.row.expires
    }

    /// Whether it is a session that lives on from this use.
    pub(crate) fn is_extended(&self) -> bool {
        self.is_extended
    }

    /// Returns the hash of its token.
    pub(crate) fn hash(&self) -> &str {
        &self.key.1
    }

    /// Returns the id by which its owner revokes it.
    pub(crate) fn id(&self) -> &str {
        public_id(&self.key.1)
    }

    /// Returns the rows that record a use at `now`; `None` if one was recorded recently.
    ///
    /// A session lives on from its last use.
    pub(crate) fn used(&mut self, now: Millis) -> Option<Batch> {
        if now.saturating_sub(self.row.last_use) < RECORD_INTERVAL {
            return None;
        }
        let expires = if self.is_session() { Some(now.saturating_add(SESSION_LIFE)) } else { self.row.expires };
        let row = CredentialRow { last_use: now, expires, ..self.row.clone() };
        let mut rows = Batch::default();
        // Not if it was revoked in the meantime.
        CREDENTIALS.require_equals(&mut rows, &self.key, &self.row);
        CREDENTIALS.put_until(&mut rows, &self.key, &row, expires);
        // What follows is committed after these rows.
        self.row = row;
        self.is_extended = self.is_session();
        Some(rows)
    }
}

/// Returns the credentials of an account with their ids, newest last.
pub(crate) fn list(snapshot: &Snapshot, account: &str) -> Result<Vec<(String, CredentialRow)>> {
    let mut found: Vec<(String, CredentialRow)> = CREDENTIALS
        .scan(snapshot, &account.to_owned(), Direction::Forward)?
        .map(|row| row.map(|((_, hash), row)| (hash, row)))
        .collect::<Result<_>>()?;
    found.sort_by_key(|(_, row)| row.created);
    Ok(found)
}

/// Returns the part of a token's hash that identifies it to its owner.
pub(crate) fn public_id(hash: &str) -> &str {
    hash.get(..PUBLIC_ID_LENGTH).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use palabre_platform::SeededEntropy;

    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let token = Token::fresh("0123456789abcdef", &SeededEntropy::new(1));
        assert_eq!(Token::parse(&token.text), Some(token.clone()));
        assert_eq!(token.key().0, "0123456789abcdef");
        let text = &token.text;
        for other in [&text[1..], &text.to_uppercase(), &text.replace('_', "-"), &format!("{text}0"), "plb_", ""] {
            assert_eq!(Token::parse(other), None, "{other}");
        }
    }
}
