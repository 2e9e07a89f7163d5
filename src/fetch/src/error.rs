use std::error::Error;
use std::net::IpAddr;

use crate::hop::REDIRECTS;

/// Why a request got no reply. One variant for each thing that a caller does differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The operator has not granted the host, or not this port of it.
    #[error(
        "the request to {host} was not sent: it needs the grant \"http:{host}\", which the operator gives in bots.yaml"
    )]
    NotGranted {
        /// The host, with its port where that is neither 80 nor 443.
        host: String,
    },
    /// The host is on this machine, in its network, or nowhere on the internet.
    #[error(
        "the request to {host} was not sent: it leads to {address}, which is not on the public internet; such an \
         address is reached only when bots.yaml grants it written out, as \"http:{address}\", and the URL names it so"
    )]
    Inner {
        /// The host, as the URL names it.
        host: String,
        /// The first address of it that is inner.
        address: IpAddr,
    },
    /// The URL, or one that it redirects to, is none that is fetched.
    #[error("the URL cannot be fetched: {0}")]
    BadUrl(String),
    /// The method, a header or the body is none that is sent.
    #[error("the request cannot be sent: {0}")]
    BadRequest(String),
    /// The reply goes on past the limit.
    #[error("the reply is larger than {limit} bytes, the most that is read; ask for a part of it")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The whole reply did not come within the time that the request has.
    #[error("the reply did not come in time; try again later, or give the request a longer timeout")]
    Timeout,
    /// One redirect after another.
    #[error("the URL redirects more than {most} times; fetch the one that it should end at", most = REDIRECTS)]
    Redirects,
    /// The connection, or the other side, failed.
    #[error("{0}")]
    Failed(String),
}

impl FetchError {
    /// Sorts the client's errors into ours. The URL is left out, for keys may be in it.
    pub(crate) fn of_client(host: &str, error: reqwest::Error) -> Self {
        let error = error.without_url();
        // What the resolver refuses comes back wrapped in the client's errors.
        if let Some(ours) = causes(&error).find_map(|cause| cause.downcast_ref::<Self>()) {
            return ours.clone();
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_builder() {
            return Self::BadUrl(format!("it is none for HTTP ({})", innermost(&error)));
        }
        Self::Failed(format!("the request to {host} failed: {}", innermost(&error)))
    }
}

/// The last two causes, where the words that tell something are.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = causes(error).map(|cause| cause.to_string()).collect();
    words.dedup();
    words.split_off(words.len().saturating_sub(2)).join(": ")
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source())
}
