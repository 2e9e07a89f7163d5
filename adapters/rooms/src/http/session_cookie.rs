//! The cookie in which a browser keeps a session. Scripts of a page cannot read it.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::AppendHeaders;

use super::caller::SESSION_COOKIE;
use crate::accounts::credential::SESSION_LIFE;

/// A `Set-Cookie` header.
pub(super) type SetCookie = AppendHeaders<[(HeaderName, HeaderValue); 1]>;

/// Returns the header with which a browser keeps a session.
pub(super) fn kept(token: &str) -> SetCookie {
    let seconds = SESSION_LIFE / 1_000;
    set_cookie(&format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}"))
}

/// Returns the header with which a browser forgets a session.
pub(super) fn forgotten() -> SetCookie {
    set_cookie(&format!("{SESSION_COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
}

fn set_cookie(cookie: &str) -> SetCookie {
    let cookie = HeaderValue::from_str(cookie).unwrap_or_else(|_invalid| HeaderValue::from_static(""));
    AppendHeaders([(header::SET_COOKIE, cookie)])
}
