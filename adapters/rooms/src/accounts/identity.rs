//! The account behind a request, by its token.

use std::sync::Arc;

use palabre_store::{Result as StoreResult, Snapshot};
use tokio::sync::oneshot;

use super::credential::{Credential, Token};
use super::error::AccountError;
use super::rows::Account;
use crate::service::Rooms;

impl Rooms {
    /// Returns the valid credential with this token, and records its use.
    pub(crate) async fn credential(&self, token: &str) -> Result<Option<Credential>, AccountError> {
        match Token::parse(token) {
            Some(token) => self.use_credential(token.key()).await,
            None => Ok(None),
        }
    }

    /// Returns the valid credential with the key of a token, and records its use.
    async fn use_credential(&self, key: (String, String)) -> Result<Option<Credential>, AccountError> {
        let mut found = self.read_store(move |snapshot| Credential::find(snapshot, key)).await?;
        if let Some(credential) = &mut found
            && let Some(rows) = credential.used(self.clock.now())
        {
            self.write_deferred("the use of a credential", rows);
            self.open_sockets.extend(credential);
        }
        Ok(found)
    }

    /// Records the use of a credential over its connections, which end if it is not valid any more.
    ///
    /// Reads it again: requests and other connections with the same token record its use too.
    pub(crate) fn record_socket_use(self: &Arc<Self>, key: &(String, String)) {
        let (rooms, key) = (Arc::clone(self), key.clone());
        self.spawn(async move {
            match rooms.use_credential(key.clone()).await {
                Ok(Some(_)) => {}
                Ok(None) => rooms.open_sockets.end(&key.1),
                Err(error) => tracing::warn!("cannot record the use of a session over its connection: {error}"),
            }
        });
    }

    /// Returns the id of the account with exactly this name. The store is read only if there is one.
    pub(crate) fn account_named(&self, name: &str) -> Option<Arc<str>> {
        if !self.account_names.contains(name) {
            return None;
        }
        let snapshot = self.store.snapshot(self.clock.now()).ok()?;
        let found = Account::find_by_name(&snapshot, name).ok()??;
        Some(found.id.as_str().into())
    }

    /// Reads from the store on a thread for blocking work.
    pub(crate) async fn read_store<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> StoreResult<T> + Send + 'static,
    ) -> Result<T, AccountError> {
        let (store, now) = (self.store.clone(), self.clock.now());
        Ok(tokio::task::spawn_blocking(move || read(&store.snapshot(now)?)).await??)
    }

    /// Runs work that must not stop half-way when the client goes away: what follows a commit belongs to it.
    pub(crate) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, AccountError>> + Send + 'static,
    ) -> Result<T, AccountError> {
        let (done, result) = oneshot::channel();
        self.spawn(async move {
            // The client may be gone.
            drop(done.send(work.await));
        });
        result.await.unwrap_or_else(|_ended| Err(AccountError::Unavailable("the server is shutting down".to_owned())))
    }
}
