//! The HTTP client for requests of scripts: the network, or a fake in tests.

use std::sync::OnceLock;

use async_trait::async_trait;
use palabre_fetch::{FetchError, Fetcher, Grants};
use palabre_types::{Reply, Request};

/// An HTTP client for requests of scripts.
#[async_trait]
pub trait Http: Send + Sync + 'static {
    /// Sends a request, if `grants` allow it.
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError>;
}

/// The network. The client is created at the first request: most runs of most scripts make none.
#[derive(Default)]
pub struct Web(OnceLock<Result<Fetcher, FetchError>>);

#[async_trait]
impl Http for Web {
    async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        self.0.get_or_init(Fetcher::new).as_ref().map_err(Clone::clone)?.fetch(request, grants).await
    }
}
