//! New sessions and access tokens, up to the maximum of each account.

use std::sync::Arc;

use palabre_platform::EmitError;
use palabre_types::{Batch, Millis};
use serde::Deserialize;

use super::credential::{self, SESSION_LIFE, Token};
use super::error::AccountError;

use super::rows::{ACCOUNTS, Account, CREDENTIALS, CredentialKind, CredentialRow, Scope};
use crate::service::Rooms;

/// Maximum length of a label, in characters; longer ones are cut.
const LABEL_MAX: usize = 100;
/// Maximum number of sessions, and of access tokens, of one account.
const CREDENTIALS_MAX: usize = 100;

/// A request for an access token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with name and scopes")]
pub(crate) struct TokenRequest {
    pub(crate) name: String,
    pub(crate) scopes: Vec<Scope>,
    /// Days after which it expires; never if it is missing.
    #[serde(default)]
    pub(crate) days: Option<u32>,
}

impl Rooms {
    /// Opens a session of an account. `label` is the program of the person.
    pub(super) async fn open_session(self: &Arc<Self>, account: &Account, label: &str) -> Result<Token, AccountError> {
        let expires = Some(self.clock.now().saturating_add(SESSION_LIFE));
        self.add_credential(account, CredentialKind::Session, label, Scope::ALL.to_vec(), expires).await
    }

    /// Creates an access token of an account.
    pub(crate) async fn create_token(
        self: &Arc<Self>,
        account: &Account,
        request: TokenRequest,
    ) -> Result<Token, AccountError> {
        let TokenRequest { name, mut scopes, days } = request;
        if name.trim().is_empty() || scopes.is_empty() {
            return Err(AccountError::Invalid("a token needs a name and at least one scope".to_owned()));
        }
        scopes.sort_unstable_by_key(|scope| scope.name());
        scopes.dedup();
        if days == Some(0) {
            return Err(AccountError::Invalid(
                "days must be at least 1; leave it out for a token that lasts".to_owned(),
            ));
        }
        let expires = days.map(|days| self.clock.now().saturating_add(Millis::from(days) * 86_400_000));
        self.add_credential(account, CredentialKind::Token, &name, scopes, expires).await
    }

    async fn add_credential(
        self: &Arc<Self>,
        account: &Account,
        kind: CredentialKind,
        label: &str,
        scopes: Vec<Scope>,
        expires: Option<Millis>,
    ) -> Result<Token, AccountError> {
        let (token, now) = (Token::fresh(&account.id, &*self.entropy), self.clock.now());
        let label = label.trim().chars().filter(|letter| !letter.is_control()).take(LABEL_MAX).collect();
        let generation = account.row.generation;
        let row = CredentialRow { kind, label, scopes, created: now, last_use: now, expires, generation };
        let (rooms, account) = (Arc::clone(self), account.clone());
        self.run_to_end(async move { rooms.write_credential(&account, token, &row).await }).await
    }

    /// Writes a new credential. Until that is durable, the account gets no other one.
    async fn write_credential(
        &self,
        account: &Account,
        token: Token,
        row: &CredentialRow,
    ) -> Result<Token, AccountError> {
        let _lock = self.issuing.lock(&account.id).await.ok_or(AccountError::Busy)?;
        let replaced = self.replaced_by(account, row.kind).await?;
        let mut rows = Batch::default();
        if let Some(hash) = &replaced {
            CREDENTIALS.delete(&mut rows, &(account.id.clone(), hash.clone()));
        }
        // Not if the account is deleted at this moment.
        ACCOUNTS.require_equals(&mut rows, &account.id, &account.row);
        CREDENTIALS.put_until(&mut rows, &token.key(), row, row.expires);
        match self.write("a new credential", rows).await {
            Ok(()) => {
                replaced.iter().for_each(|hash| self.open_sockets.end(hash));
                Ok(token)
            }
            Err(EmitError::Refused) => Err(AccountError::changed_elsewhere()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the session used least recently, if the account has as many as it may have.
    ///
    /// # Errors
    /// The account has as many access tokens as it may have: none of them is given up silently.
    async fn replaced_by(&self, account: &Account, kind: CredentialKind) -> Result<Option<String>, AccountError> {
        let id = account.id.clone();
        let known = self.read_store(move |snapshot| credential::list(snapshot, &id)).await?;
        let of_kind = known.iter().filter(|(_, row)| row.kind == kind);
        if of_kind.clone().count() < CREDENTIALS_MAX {
            return Ok(None);
        }
        if kind == CredentialKind::Token {
            let problem = format!("the account has {CREDENTIALS_MAX} access tokens; revoke one first");
            return Err(AccountError::Invalid(problem));
        }
        Ok(of_kind.min_by_key(|(_, row)| row.last_use).map(|(hash, _)| hash.clone()))
    }
}
