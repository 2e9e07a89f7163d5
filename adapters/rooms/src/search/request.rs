//! Searches of accounts.

use std::sync::Arc;

use super::state::SearchError;
use super::view::{Access, Found, Search};
use crate::conversation::is_conversation;
use crate::service::Rooms;

impl Rooms {
    /// Returns a page of the messages that somebody searches for and may read at this moment.
    pub(crate) async fn find_messages(&self, search: Search, access: Access) -> Result<Found, SearchError> {
        let view = self.search.view().await?;
        let _turn = self.search.turns.acquire().await.map_err(|_closed| SearchError::NotReady)?;
        let (store, groups, now) = (self.store.clone(), Arc::clone(&self.authority.groups), self.clock.now());
        let searching = tokio::task::spawn_blocking(move || {
            let may_see = |room: &str| {
                groups.may_enter(room, Some(&access.account)) && (!access.is_banned || is_conversation(room))
            };
            view.find(&store.snapshot(now)?, &search, &access, may_see)
        });
        match searching.await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::warn!("a search failed: {error}");
                Err(SearchError::Failed)
            }
            Err(error) => {
                tracing::error!("a search ended early: {error}");
                Err(SearchError::Failed)
            }
        }
    }

    /// Returns the rooms that an account may search in.
    pub(crate) fn access_of(&self, account: &str, is_banned: bool) -> Access {
        Access { account: account.to_owned(), is_banned, closed: self.authority.groups.closed_to(account) }
    }
}
