//! The validation of requests.

use palabre_types::Request;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::error::FetchError;
use crate::hop::Hop;

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

/// Validates the request and converts it for the client. Does not check the grants.
pub(crate) fn first_hop(request: &Request) -> Result<Hop, FetchError> {
    if request.body.as_ref().is_some_and(|body| body.len() > REQUEST_BYTES_MAX) {
        return Err(FetchError::BadRequest(format!("its body is larger than {REQUEST_BYTES_MAX} bytes")));
    }
    let url = Url::parse(&request.url).map_err(|error| FetchError::BadUrl(format!("it is invalid ({error})")))?;
    Ok(Hop { method: checked_method(request)?, url, headers: checked_headers(request)?, body: request.body.clone() })
}

fn checked_method(request: &Request) -> Result<Method, FetchError> {
    METHODS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(&request.method))
        .and_then(|known| Method::from_bytes(known.as_bytes()).ok())
        .ok_or_else(|| FetchError::BadRequest(format!("its method must be one of {}", METHODS.join(", "))))
}

fn checked_headers(request: &Request) -> Result<HeaderMap, FetchError> {
    if request.headers.len() > REQUEST_HEADERS_MAX {
        return Err(FetchError::BadRequest(format!("it has more than {REQUEST_HEADERS_MAX} headers")));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
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
