//! Errors of requests.

use std::error::Error;
use std::net::IpAddr;

/// The reason why a request got no reply. There is one variant for each reaction of callers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The operator has not granted the host, or not this port.
    #[error(
        "the request to {host} was not sent: it needs the grant \"http:{host}\", which the operator gives in bots.yaml"
    )]
    NotGranted {
        /// The host, with its port unless that is 80 or 443.
        host: String,
    },
    /// The host is on this machine, in its network, or has a reserved address.
    #[error(
        "the request to {host} was not sent: it leads to {address}, which is not on the public internet; to allow \
         it, grant the address itself in bots.yaml, as \"http:{address}\", and use the address in the URL"
    )]
    Inner {
        /// The host, as in the URL.
        host: String,
        /// The first inner address of the host.
        address: IpAddr,
    },
    /// The URL, or one that it redirects to, is invalid or not allowed.
    #[error("the URL cannot be fetched: {0}")]
    BadUrl(String),
    /// The method, a header or the body is invalid or not allowed.
    #[error("the request cannot be sent: {0}")]
    BadRequest(String),
    /// The reply exceeds the limit.
    #[error("the reply is larger than the maximum of {limit} bytes; request a part of it")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The reply was not complete within the request's timeout.
    #[error("the reply did not come in time; try again later, or give the request a longer timeout")]
    Timeout,
    /// There are too many redirects.
    #[error("the URL redirects more than {limit} times; request its final URL")]
    Redirects {
        /// The limit of redirects.
        limit: usize,
    },
    /// The connection or the server failed.
    #[error("{0}")]
    Failed(String),
}

impl FetchError {
    /// Converts an error of the HTTP client. Omits the URL, which may contain keys.
    pub(crate) fn of_client(host: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        // Errors of the resolver are wrapped in errors of the client.
        if let Some(ours) = causes(&error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return ours.clone();
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_builder() {
            return Self::BadUrl(format!("it is not a valid HTTP URL ({})", innermost(&error)));
        }
        Self::Failed(format!("the request to {host} failed: {}", innermost(&error)))
    }
}

/// Returns the last two causes, which are the most specific.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = causes(error).map(|cause| cause.to_string()).collect();
    words.dedup();
    words.split_off(words.len().saturating_sub(2)).join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}
