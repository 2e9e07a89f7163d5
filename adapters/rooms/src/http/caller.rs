//! The caller of a request: an account, by a bearer token or the session cookie.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};
use super::session_cookie::{Renewal, cookie};
use super::site::check_site;
use crate::accounts::credential::Credential;
use crate::accounts::rows::{Account, Scope};
use crate::limiter::{self, Network};
use crate::service::Rooms;

/// An account that sends a request, with the credential that it presented.
pub(super) struct Caller(pub(super) Credential);

impl Caller {
    /// Checks that the credential has a scope.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.0.allows(scope) {
            return Ok(());
        }
        let problem = format!("this token lacks the scope {}", scope.name());
        Err(Problem::new(StatusCode::FORBIDDEN, problem))
    }
}

impl FromRequestParts<Arc<Rooms>> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, rooms: &Arc<Rooms>) -> Result<Self, Response> {
        let unauthorized = || problem::unauthorized("sign in first, or send a valid token").into_response();
        let bearer = bearer(&parts.headers);
        let cookie = if bearer.is_some() { None } else { cookie(&parts.headers) };
        let Some(token) = bearer.or(cookie) else { return Err(unauthorized()) };
        if cookie.is_some() && !parts.method.is_safe() {
            check_site(&parts.method, &parts.headers, &[]).map_err(IntoResponse::into_response)?;
        }
        let found = rooms.credential(token).await.map_err(|error| Problem::from(error).into_response())?;
        let credential = found.ok_or_else(unauthorized)?;
        if cookie.is_some() {
            Renewal::set(&parts.extensions, &credential, token);
        }
        Ok(Self(credential))
    }
}

/// The caller of a request that needs no account. A token that is presented has to be valid.
pub(super) struct MaybeCaller(Option<Caller>);

impl MaybeCaller {
    /// Returns the account that sends the request, if there is one.
    pub(super) fn account(&self) -> Option<&Account> {
        self.0.as_ref().map(|caller| &caller.0.account)
    }

    /// Returns the credential that was presented, if there is one.
    pub(super) fn credential(&self) -> Option<&Credential> {
        self.0.as_ref().map(|caller| &caller.0)
    }

    /// Checks that the credential has a scope, if there is one.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        self.0.as_ref().map_or(Ok(()), |caller| caller.require(scope))
    }
}

impl FromRequestParts<Arc<Rooms>> for MaybeCaller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, rooms: &Arc<Rooms>) -> Result<Self, Response> {
        let has_token = bearer(&parts.headers).is_some();
        if !has_token && cookie(&parts.headers).is_none() {
            return Ok(Self(None));
        }
        match Caller::from_request_parts(parts, rooms).await {
            Ok(caller) => Ok(Self(Some(caller))),
            // The cookie of a session that has ended: the person is a guest now.
            Err(refusal) if !has_token && refusal.status() == StatusCode::UNAUTHORIZED => Ok(Self(None)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// The account that reads what everybody may see, and perhaps more; or nobody.
///
/// The cookie of a session that has ended is ignored, a token that is not valid is refused.
pub(super) struct Reader(Option<Caller>);

impl Reader {
    /// Returns the id of the account, if its credential may read.
    pub(super) fn account(&self) -> Option<&str> {
        let caller = self.0.as_ref().filter(|caller| caller.0.allows(Scope::Read))?;
        Some(&caller.0.account.id)
    }
}

impl FromRequestParts<Arc<Rooms>> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, rooms: &Arc<Rooms>) -> Result<Self, Response> {
        if bearer(&parts.headers).is_some() {
            return Caller::from_request_parts(parts, rooms).await.map(|caller| Self(Some(caller)));
        }
        let Some(token) = cookie(&parts.headers) else { return Ok(Self(None)) };
        let found = rooms.credential(token).await.map_err(|error| Problem::from(error).into_response())?;
        Ok(Self(found.map(Caller)))
    }
}

/// The network that a request comes from.
pub(super) struct ClientNetwork(pub(super) Network);

impl<S: Send + Sync> FromRequestParts<S> for ClientNetwork {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self(limiter::network(address)))
    }
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
