//! Checks the host and origin of every request before anything else.
//!
//! A request must be for this server, and must not come from a page of another site. Sites listed in
//! bots.yaml are allowed by CORS.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONNECTION, HOST, ORIGIN, RETRY_AFTER, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::connection::Reached;
use crate::counts::{Counts, Refusal};
use crate::hosts::Hosts;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
/// The response headers that pages of other sites may read, apart from the CORS-safelisted ones.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "accept-ranges, allow, content-disposition, content-range, etag, location, retry-after, www-authenticate",
);
/// The time for which a browser may cache the response to a preflight, in seconds.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("600");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const ANY: HeaderValue = HeaderValue::from_static("*");
const PREFLIGHT_VARY: HeaderValue =
    HeaderValue::from_static("access-control-request-method, access-control-request-headers");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// The paths, including those below, that a reserved connection may request.
const RESERVED_PATHS: [&str; 2] = ["/health", "/api/health"];

/// The allowed hosts and origins.
pub(crate) struct Guard {
    pub(crate) hosts: Hosts,
    /// Other sites that may use this server; `*` is any.
    pub(crate) origins: Vec<String>,
    pub(crate) counts: Arc<Counts>,
}

/// The origin of a request.
enum RequestOrigin {
    /// Not from a page, or not declared by the browser.
    Unknown,
    Own,
    Listed(HeaderValue),
    Foreign,
}

/// Middleware that rejects requests for other hosts and from pages of other sites.
pub(crate) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let reached = request.extensions().get::<Reached>().copied().unwrap_or_default();
    if let Some(refused) = guard.refuse_host(&request, reached) {
        return refused;
    }
    if reached.is_reserved && !RESERVED_PATHS.iter().any(|path| request.uri().path().starts_with(path)) {
        let mut full = (StatusCode::SERVICE_UNAVAILABLE, "too many connections; try again in a moment").into_response();
        full.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        full.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return full;
    }
    let source = guard.request_origin(request.headers());
    if guard.is_foreign(&source, &request) {
        guard.counts.refuse(Refusal::Origin);
        let error = "requests from this site are not allowed; the operator can add it to server: origins: in bots.yaml";
        return guard.marked((StatusCode::FORBIDDEN, error).into_response(), None);
    }
    let RequestOrigin::Listed(origin) = source else { return guard.marked(next.run(request).await, None) };
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let response = if is_preflight { preflight(request.headers()) } else { next.run(request).await };
    guard.marked(response, Some(&origin))
}

impl Guard {
    /// Returns the response to a request that is for another host, or `None` if it is for this one.
    fn refuse_host(&self, request: &Request, reached: Reached) -> Option<Response> {
        let mut given = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else {
            self.counts.refuse(Refusal::Host);
            return Some((StatusCode::BAD_REQUEST, "send one Host header").into_response());
        };
        let host = host.to_str().unwrap_or_default();
        // A request in absolute form names the host in its request line too.
        let in_line = request.uri().authority().map(|authority| authority.as_str());
        if std::iter::once(host).chain(in_line).all(|name| self.hosts.allows(name, reached.local)) {
            return None;
        }
        self.counts.refuse(Refusal::Host);
        let error = "this server has no host of that name; the operator can add it to server: hosts: in bots.yaml";
        Some((StatusCode::MISDIRECTED_REQUEST, error).into_response())
    }

    fn request_origin(&self, headers: &HeaderMap) -> RequestOrigin {
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else { return RequestOrigin::Unknown };
        let text = origin.to_str().unwrap_or_default();
        let site = text.split_once("://").map(|(_, site)| site);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if origins.next().is_some() {
            RequestOrigin::Foreign
        } else if site.is_some_and(|site| site.eq_ignore_ascii_case(host)) {
            RequestOrigin::Own
        } else if self.origins.iter().any(|listed| listed == "*" || listed.eq_ignore_ascii_case(text)) {
            RequestOrigin::Listed(origin.clone())
        } else {
            RequestOrigin::Foreign
        }
    }

    /// Whether the request comes from a page of another site.
    ///
    /// A cross-site request without an origin may read, as following a link does, but not change anything.
    fn is_foreign(&self, source: &RequestOrigin, request: &Request) -> bool {
        match source {
            RequestOrigin::Own | RequestOrigin::Listed(_) => false,
            RequestOrigin::Foreign => true,
            RequestOrigin::Unknown => {
                let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
                let from = request.headers().get(FETCH_SITE).map(HeaderValue::as_bytes);
                let is_strange = from.is_some_and(|from| from == b"cross-site" || from == b"same-site");
                !reads && is_strange && !self.takes_any()
            }
        }
    }

    fn takes_any(&self) -> bool {
        self.origins.iter().any(|listed| listed == "*")
    }

    /// Adds the CORS headers to a response.
    fn marked(&self, mut response: Response, origin: Option<&HeaderValue>) -> Response {
        let headers = response.headers_mut();
        if !self.origins.is_empty() {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = origin else { return response };
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.takes_any() {
            // With `*`, requests must not carry the cookies of a visitor.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        response
    }
}

/// Returns the response to a CORS preflight request.
fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE);
    headers.append(VARY, PREFLIGHT_VARY);
    if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    response
}
