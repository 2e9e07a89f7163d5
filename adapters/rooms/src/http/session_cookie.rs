//! The cookie in which a browser keeps a session. Scripts of a page cannot read it.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{AppendHeaders, Response};
use palabre_types::Scheme;

use super::site::check_site;
use crate::accounts::credential::{Credential, SESSION_LIFE};
use crate::service::Rooms;

/// The name of the cookie.
const SESSION_COOKIE: &str = "palabre_session";

/// A `Set-Cookie` header.
pub(super) type SetCookie = AppendHeaders<[(HeaderName, HeaderValue); 1]>;

/// Returns the session token in the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, token)| token)
}

/// Returns the header with which a browser keeps a session.
pub(super) fn kept(token: &str, scheme: Scheme) -> SetCookie {
    AppendHeaders([(header::SET_COOKIE, value(token, SESSION_LIFE / 1_000, scheme))])
}

/// Returns the header with which a browser forgets a session.
pub(super) fn forgotten() -> SetCookie {
    AppendHeaders([(header::SET_COOKIE, value("", 0, Scheme::Http))])
}

/// Returns a cookie that lives for `seconds`. After a request over TLS, it is only sent over TLS.
fn value(token: &str, seconds: u64, scheme: Scheme) -> HeaderValue {
    let secure = if scheme == Scheme::Https { "; Secure" } else { "" };
    let cookie = format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    HeaderValue::from_str(&cookie).unwrap_or_else(|_invalid| HeaderValue::from_static(""))
}

/// The new cookie of a request that has extended the life of its session.
///
/// It is in the extensions of the request, where the code that finds the session sets it.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewal(Arc<OnceLock<HeaderValue>>);

impl Renewal {
    /// Sets the new cookie, if this use of the session was recorded.
    pub(super) fn set(extensions: &Extensions, credential: &Credential, token: &str) {
        let Some(renewal) = extensions.get::<Self>().filter(|_| credential.is_extended()) else { return };
        let scheme = extensions.get::<Scheme>().copied().unwrap_or_default();
        // A request has one session.
        drop(renewal.0.set(value(token, SESSION_LIFE / 1_000, scheme)));
    }
}

/// Middleware that adds the new cookie to the response, unless the response has another one.
pub(super) async fn renew(mut request: Request, next: Next) -> Response {
    let renewal = Renewal::default();
    request.extensions_mut().insert(renewal.clone());
    let mut response = next.run(request).await;
    if let Some(cookie) = renewal.0.get() {
        response.headers_mut().entry(header::SET_COOKIE).or_insert_with(|| cookie.clone());
    }
    response
}

impl Rooms {
    /// Records the use of the session in the cookie of a request, and renews the cookie.
    ///
    /// For requests that need no account, such as the handshake of Socket.IO.
    pub(crate) async fn record_cookie(&self, headers: &HeaderMap, extensions: &Extensions) {
        // A page of another site has the cookie too.
        let own = check_site(&Method::POST, headers, &[]).ok();
        let Some(token) = own.and_then(|()| cookie(headers)) else { return };
        // Without the store, the handshake reports the problem.
        if let Ok(Some(credential)) = self.credential(token).await {
            Renewal::set(extensions, &credential, token);
        }
    }
}
