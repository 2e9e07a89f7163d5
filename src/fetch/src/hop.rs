//! Hops: the single requests of an exchange.
//!
//! Redirects are followed as by browsers (<https://fetch.spec.whatwg.org/#http-redirect-fetch>).

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::error::FetchError;

/// The maximum number of redirects of an exchange.
pub const REDIRECTS_MAX: usize = 5;

/// Headers that are not sent to another origin: credentials, and the key of a request.
///
/// A server may show the response to a request to everyone who knows its key.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "cookie", "idempotency-key", "proxy-authorization"];
/// Headers about the body, removed together with it.
const BODY_HEADERS: [&str; 4] = ["content-encoding", "content-language", "content-location", "content-type"];

/// One request of an exchange. Its URL has not been checked yet.
#[derive(Debug, Clone)]
pub(crate) struct Hop {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

impl Hop {
    /// Returns the host of the URL, for errors.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Returns the hop that a reply with this status and these headers redirects to, if it does.
    pub(crate) fn next(&self, status: StatusCode, headers: &HeaderMap) -> Result<Option<Self>, FetchError> {
        let Some(location) = headers.get(LOCATION) else { return Ok(None) };
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            307 | 308 => false,
            _ => return Ok(None),
        };
        let bad = |why: &str| FetchError::BadUrl(format!("{} redirects {why}", self.host()));
        let location =
            std::str::from_utf8(location.as_bytes()).ok().ok_or_else(|| bad("to a URL that is not UTF-8"))?;
        let url = self.url.join(location).map_err(|error| bad(&format!("to an invalid URL ({error})")))?;
        if self.url.scheme() == "https" && url.scheme() == "http" {
            return Err(bad("from https to http, which is not encrypted"));
        }

        let mut next = Self { url, ..self.clone() };
        if becomes_get {
            next.method = Method::GET;
            next.body = None;
            for name in BODY_HEADERS {
                next.headers.remove(name);
            }
        }
        if self.url.origin() != next.url.origin() {
            for name in CREDENTIAL_HEADERS {
                next.headers.remove(name);
            }
        }
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn redirect(from: &str, to: &str) -> Result<Option<Hop>, FetchError> {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer hush"));
        let hop = Hop { method: Method::GET, url: Url::parse(from).unwrap(), headers, body: None };
        let mut reply = HeaderMap::new();
        reply.insert(LOCATION, HeaderValue::from_bytes(to.as_bytes()).unwrap());
        hop.next(StatusCode::FOUND, &reply)
    }

    #[test]
    fn https_does_not_become_http() {
        assert!(matches!(redirect("https://a.example/", "http://a.example/"), Err(FetchError::BadUrl(_))));
        assert!(matches!(redirect("https://a.example/", "//b.example/"), Ok(Some(hop)) if hop.url.scheme() == "https"));
    }

    #[test]
    fn credentials_stay_with_the_origin() {
        let kept = |from, to| redirect(from, to).unwrap().unwrap().headers.contains_key("authorization");
        assert!(kept("https://a.example/1", "/2"));
        assert!(kept("https://a.example/1", "https://a.example:443/2"));
        assert!(!kept("http://a.example/1", "https://a.example/2"));
        assert!(!kept("https://a.example/1", "https://a.example:8443/2"));
        assert!(!kept("https://a.example/1", "https://b.a.example/2"));
    }

    #[test]
    fn a_status_that_only_looks_like_a_redirect_is_a_reply() {
        let hop = Hop {
            method: Method::GET,
            url: Url::parse("http://a.example/").unwrap(),
            headers: HeaderMap::new(),
            body: None,
        };
        let mut reply = HeaderMap::new();
        assert!(hop.next(StatusCode::FOUND, &reply).unwrap().is_none());
        reply.insert(LOCATION, HeaderValue::from_static("/there"));
        for status in [StatusCode::CREATED, StatusCode::NOT_MODIFIED, StatusCode::OK] {
            assert!(hop.next(status, &reply).unwrap().is_none(), "{status}");
        }
    }
}
