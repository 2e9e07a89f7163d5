//! The caller of a request: an account, by a bearer token or the session cookie.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::{self, Problem};
use crate::accounts::credential::Credential;
use crate::accounts::rows::Scope;
use crate::limiter::{self, Network};
use crate::service::Rooms;

/// The cookie of a session.
pub(super) const SESSION_COOKIE: &str = "palabre_session";

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
        found.map(Self).ok_or_else(unauthorized)
    }
}

/// The account that sends a request, or nobody; a token that is not valid is refused.
pub(super) struct Visitor(Option<Caller>);

impl Visitor {
    /// Returns the id of the account, if its credential may read.
    pub(super) fn reader(&self) -> Option<&str> {
        let caller = self.0.as_ref().filter(|caller| caller.0.allows(Scope::Read))?;
        Some(&caller.0.account.id)
    }
}

impl FromRequestParts<Arc<Rooms>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, rooms: &Arc<Rooms>) -> Result<Self, Response> {
        if bearer(&parts.headers).is_some() {
            return Caller::from_request_parts(parts, rooms).await.map(|caller| Self(Some(caller)));
        }
        // The cookie of a session that has ended is no reason to refuse what everybody may see.
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

/// Returns the session token in the cookies.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, token)| token)
}

/// Refuses a request that changes something and that another site sent with the person's cookie.
///
/// Programs that are no browsers send neither header. `origins` are other sites, named one by one, that may send it.
pub(crate) fn check_site(method: &Method, headers: &HeaderMap, origins: &[String]) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let is_listed = |origin: &str| origins.iter().any(|listed| listed == origin);
    let is_own = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_scheme, host)| host);
            host.is_some() && host == text("host")
        }
        (None, None) => true,
    };
    if is_own || method.is_safe() || text("origin").is_some_and(is_listed) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "this request came from another site"))
}
