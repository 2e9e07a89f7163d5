//! How requests of scripts leave: over the network, or to what a test answers with.

use std::sync::OnceLock;

use async_trait::async_trait;
use palabre_fetch::{FetchError, Fetcher, Grants, Reply, Request};

/// Who performs requests of scripts.
#[async_trait]
pub trait Http: Send + Sync + 'static {
    /// Performs one, if `grants` let it.
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError>;
}

/// The network. The client is made at the first request: most runs of most scripts make none.
#[derive(Default)]
pub struct Web(OnceLock<Result<Fetcher, FetchError>>);

#[async_trait]
impl Http for Web {
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        self.0.get_or_init(Fetcher::new).as_ref().map_err(Clone::clone)?.fetch(request, grants).await
    }
}
