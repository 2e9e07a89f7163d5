//! HTTP requests of scripts, and the replies to them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An HTTP request of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    pub method: String,
    /// An absolute URL, http or https.
    pub url: String,
    /// Names and values. A name may occur more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, with = "serde_bytes")]
    pub body: Option<Vec<u8>>,
    /// The timeout of the whole exchange, with its redirects.
    ///
    /// At most `palabre_fetch::REQUEST_TIMEOUT_MAX`.
    pub timeout: Duration,
}

/// A reply, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The status code: 200, 404, …
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body as it was sent, not decompressed.
    #[serde(default, with = "serde_bytes", skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<u8>,
    /// Whether the body was left out of a record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_body_omitted: bool,
    /// The URL of the reply, after redirects.
    pub url: String,
    /// A value that is dropped with the last copy of the reply.
    #[serde(skip)]
    pub guard: ReplyGuard,
}

/// A value that is held until the last copy of a reply is dropped.
///
/// It is the reply's share of a limit.
#[derive(Clone, Default)]
pub struct ReplyGuard(Option<Arc<dyn Any + Send + Sync>>);

impl ReplyGuard {
    /// Creates a holder of `what`.
    #[must_use]
    pub fn new(what: impl Any + Send + Sync) -> Self {
        Self(Some(Arc::new(what)))
    }
}

impl fmt::Debug for ReplyGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReplyGuard").field(&self.0.is_some()).finish()
    }
}

/// All are equal, because they are not part of a reply's content.
impl PartialEq for ReplyGuard {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for ReplyGuard {}
