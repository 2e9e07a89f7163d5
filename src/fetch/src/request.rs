//! Requests and replies of scripts, and the validation of requests.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::FetchError;
use crate::hop::Hop;
use crate::reply_guard::ReplyGuard;

/// The maximum size of a request's body, in bytes.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;
/// The maximum number of headers of a request.
pub const REQUEST_HEADERS_MAX: usize = 100;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The headers that belong to the connection, which scripts cannot set.
///
/// With them a script could inject data into other requests on it, or ask one host in the name of
/// another. Headers of proxies are recognised by their prefix instead.
const RESERVED_HEADERS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    pub method: String,
    /// An absolute URL, http or https.
    pub url: String,
    /// NameResolver and values. A name may occur more than once.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(default, with = "serde_bytes")]
    pub body: Option<Vec<u8>>,
    /// The timeout of the whole exchange, with its redirects.
    ///
    /// At most [`REQUEST_TIMEOUT_MAX`](crate::REQUEST_TIMEOUT_MAX).
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

impl Request {
    /// Validates the request and converts it for the client. Does not check the grants.
    pub(crate) fn first_hop(&self) -> Result<Hop, FetchError> {
        if self.body.as_ref().is_some_and(|body| body.len() > REQUEST_BYTES_MAX) {
            return Err(FetchError::BadRequest(format!("its body is larger than {REQUEST_BYTES_MAX} bytes")));
        }
        let url = Url::parse(&self.url).map_err(|error| FetchError::BadUrl(format!("it is invalid ({error})")))?;
        Ok(Hop { method: self.checked_method()?, url, headers: self.checked_headers()?, body: self.body.clone() })
    }

    fn checked_method(&self) -> Result<Method, FetchError> {
        METHODS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(&self.method))
            .and_then(|known| Method::from_bytes(known.as_bytes()).ok())
            .ok_or_else(|| FetchError::BadRequest(format!("its method must be one of {}", METHODS.join(", "))))
    }

    fn checked_headers(&self) -> Result<HeaderMap, FetchError> {
        if self.headers.len() > REQUEST_HEADERS_MAX {
            return Err(FetchError::BadRequest(format!("it has more than {REQUEST_HEADERS_MAX} headers")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .ok_or_else(|| FetchError::BadRequest(format!("{name:?} is not a valid header name")))?;
            if RESERVED_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
                return Err(FetchError::BadRequest(format!("scripts cannot set the header {name}; leave it out")));
            }
            // The value may be a secret, so the error does not show it.
            let value = HeaderValue::from_bytes(value.as_bytes()).ok().ok_or_else(|| {
                FetchError::BadRequest(format!("the value of the header {name} contains a control character"))
            })?;
            headers.append(name, value);
        }
        Ok(headers)
    }
}
