//! Name resolution with checked addresses, in the only look-up of a connection.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::is_public;
use crate::error::FetchError;

/// The addresses of `localhost`, whatever the system's files say.
pub(crate) const LOCALHOST: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// A name resolver: the operating system, or in tests a list.
#[async_trait]
pub trait NameResolver: Send + Sync {
    /// Returns all addresses of `name`.
    ///
    /// # Errors
    /// Fails when the name has none, or no resolver could be reached.
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system: its files, and DNS.
pub(crate) struct SystemNames;

#[async_trait]
impl NameResolver for SystemNames {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The resolver of the client: it returns only public addresses, and those of `localhost`.
///
/// It need not know the grants: the client asks it only for hosts that
/// [`Grants::allows`](crate::Grants::allows) has accepted, including `localhost` only if that is
/// granted. No other name leads to an inner address.
pub(crate) struct CheckedNames(pub(crate) Arc<dyn NameResolver>);

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(resolve_checked(Arc::clone(&self.0), name))
    }
}

async fn resolve_checked(names: Arc<dyn NameResolver>, name: Name) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    let host = normalise(name.as_str());
    if host == "localhost" {
        return Ok(socket_addresses(LOCALHOST.to_vec()));
    }
    let found = names
        .look_up(name.as_str())
        .await
        .map_err(|error| FetchError::Failed(format!("the name {host} does not resolve to an address: {error}")))?;
    if found.is_empty() {
        return Err(FetchError::Failed(format!("the name {host} has no address")).into());
    }
    // One inner address refuses the name, because the connection could use any of them.
    if let Some(address) = found.iter().copied().find(|address| !is_public(*address)) {
        return Err(FetchError::Inner { host, address }.into());
    }
    Ok(socket_addresses(found))
}

/// Port 0 stands for the port of the URL.
fn socket_addresses(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)))
}

/// Normalises a name for comparison: `Example.COM.` becomes `example.com`.
pub(crate) fn normalise(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}
