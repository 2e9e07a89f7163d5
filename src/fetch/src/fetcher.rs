//! The exchange of a request: each hop is checked, sent, and followed or read.

use std::sync::Arc;
use std::time::Duration;

use palabre_types::{Reply, ReplyGuard, Request};
use reqwest::{Client, Response, redirect};
use rustls::crypto::CryptoProvider;

use crate::error::FetchError;
use crate::error::innermost;
use crate::grants::Grants;
use crate::hop::{Hop, REDIRECTS_MAX};
use crate::names::{CheckedNames, NameResolver, SystemNames};
use crate::request::first_hop;

/// The maximum size of a reply's body, in bytes.
pub const REPLY_BYTES_MAX: usize = 1 << 20;
/// The maximum duration of an exchange, whatever timeout the request has.
pub const REQUEST_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The maximum size of a reply's headers, in bytes. They are kept in memory like its body.
const HEADER_BYTES_MAX: usize = 64 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections are kept for scripts that send frequent requests to one host.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_PER_HOST_MAX: usize = 4;

/// The HTTP client of all scripts. Its clones share their connections.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: Client,
}

impl Fetcher {
    /// Creates a client that resolves names with the operating system.
    ///
    /// # Errors
    /// Fails when the process has no cryptography provider yet, or the client cannot be created.
    pub fn new() -> Result<Self, FetchError> {
        Self::with_resolver(Arc::new(SystemNames))
    }

    /// Creates a client that resolves names with `names`, whose addresses are checked too.
    ///
    /// # Errors
    /// Fails when the process has no cryptography provider yet, or the client cannot be created.
    pub fn with_resolver(names: Arc<dyn NameResolver>) -> Result<Self, FetchError> {
        // The client would panic without one.
        if CryptoProvider::get_default().is_none() {
            return Err(FetchError::Failed(
                "cannot create the HTTP client: no cryptography provider; main must install one first".to_owned(),
            ));
        }
        let client = Client::builder()
            .user_agent(concat!("Palabre/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(CheckedNames(names)))
            // A proxy would resolve names by itself, without the guard.
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            // Disabled even if another crate enables the features: a small reply could decompress
            // to a huge one.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .use_rustls_tls()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .build()
            .map_err(|error| FetchError::Failed(format!("cannot create the HTTP client: {}", innermost(&error))))?;
        Ok(Self { client })
    }

    /// Sends `request` and follows its redirects, as far as `grants` allow.
    ///
    /// # Errors
    /// Fails when there is no reply. A reply with an error status, such as 404, is not an error.
    pub async fn fetch(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        tokio::time::timeout(request.timeout.min(REQUEST_TIMEOUT_MAX), self.exchange(request, grants))
            .await
            .unwrap_or(Err(FetchError::Timeout))
    }

    /// Sends `request` as [`Fetcher::fetch`] does, without following a redirect: that is the reply.
    ///
    /// # Errors
    /// Fails when there is no reply. A reply with an error status, such as 404, is not an error.
    pub async fn fetch_once(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        let once = async {
            let hop = first_hop(request)?;
            grants.allows(&hop.url)?;
            read(self.send(&hop).await?, &hop).await
        };
        tokio::time::timeout(request.timeout.min(REQUEST_TIMEOUT_MAX), once).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn exchange(&self, request: &Request, grants: &Grants) -> Result<Reply, FetchError> {
        let mut hop = first_hop(request)?;
        for _ in 0..=REDIRECTS_MAX {
            grants.allows(&hop.url)?;
            let response = self.send(&hop).await?;
            match hop.next(response.status(), response.headers())? {
                // The body of a redirect is not read: dropping the response closes its connection.
                Some(next) => hop = next,
                None => return read(response, &hop).await,
            }
        }
        Err(FetchError::Redirects { limit: REDIRECTS_MAX })
    }

    async fn send(&self, hop: &Hop) -> Result<Response, FetchError> {
        let mut request = self.client.request(hop.method.clone(), hop.url.clone()).headers(hop.headers.clone());
        if let Some(body) = &hop.body {
            request = request.body(body.clone());
        }
        request.send().await.map_err(|error| FetchError::of_client(hop.host(), error))
    }
}

async fn read(mut response: Response, hop: &Hop) -> Result<Reply, FetchError> {
    let too_large = FetchError::TooLarge { limit: REPLY_BYTES_MAX };
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > REPLY_BYTES_MAX {
        return Err(too_large);
    }
    let of_headers: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if of_headers > HEADER_BYTES_MAX {
        return Err(FetchError::TooLarge { limit: HEADER_BYTES_MAX });
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(|error| FetchError::of_client(hop.host(), error))? {
        if body.len() + chunk.len() > REPLY_BYTES_MAX {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    body.shrink_to_fit();
    let headers = response.headers().iter();
    Ok(Reply {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body,
        is_body_omitted: false,
        url: hop.url.to_string(),
        guard: ReplyGuard::default(),
    })
}
