//! The account behind a request, by its token.

use palabre_store::{Result as StoreResult, Snapshot};

use super::credential::{Credential, Token};
use super::error::AccountError;
use crate::service::Rooms;

impl Rooms {
    /// Returns the valid credential with this token, and records its use.
    pub(crate) async fn credential(&self, token: &str) -> Result<Option<Credential>, AccountError> {
        let Some(token) = Token::parse(token) else { return Ok(None) };
        let found = self.read_store(move |snapshot| Credential::find(snapshot, &token)).await?;
        if let Some(rows) = found.as_ref().and_then(|credential| credential.used(self.clock.now())) {
            self.write_deferred("the use of a credential", rows);
        }
        Ok(found)
    }

    /// Reads from the store on a thread for blocking work.
    pub(crate) async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> StoreResult<T> + Send + 'static,
    ) -> Result<T, AccountError> {
        let (store, now) = (self.store.clone(), self.clock.now());
        Ok(tokio::task::spawn_blocking(move || read(&store.snapshot(now)?)).await??)
    }
}
