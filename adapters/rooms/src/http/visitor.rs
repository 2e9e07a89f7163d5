//! People who sign in or register, in the same way for all routes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use palabre_types::Scheme;

use super::caller::ClientNetwork;
use super::problem::Problem;
use super::session_cookie::{self, SetCookie};
use super::site::check_site;
use crate::accounts::credential::Token;
use crate::accounts::error::AccountError;
use crate::accounts::login::Login;
use crate::accounts::registration::Registration;
use crate::accounts::rows::Account;
use crate::limiter::Network;
use crate::service::Rooms;

/// The origin of a request to sign in or to register.
///
/// Pages of other sites are refused, unless `origins` in bots.yaml lists them.
pub(super) struct Visitor {
    network: Network,
    /// The program of the person, which is the label of the session.
    program: String,
    scheme: Scheme,
}

/// An account with a session that was opened for a request.
pub(super) struct SignedIn {
    pub(super) account: Account,
    pub(super) token: Token,
    scheme: Scheme,
}

impl FromRequestParts<Arc<Rooms>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, rooms: &Arc<Rooms>) -> Result<Self, Problem> {
        check_site(&parts.method, &parts.headers, &rooms.config.origins)?;
        let Ok(ClientNetwork(network)) = ClientNetwork::from_request_parts(parts, rooms).await;
        let program = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let scheme = parts.extensions.get::<Scheme>().copied().unwrap_or_default();
        Ok(Self { network, program: program.unwrap_or("unknown program").to_owned(), scheme })
    }
}

impl Visitor {
    /// Checks the password and opens a session.
    pub(super) async fn sign_in(self, rooms: &Arc<Rooms>, login: Login) -> Result<SignedIn, AccountError> {
        let (account, token) = rooms.log_in(login, &self.program, self.network).await?;
        Ok(SignedIn { account, token, scheme: self.scheme })
    }

    /// Creates an account and opens its first session.
    pub(super) async fn register(
        self,
        rooms: &Arc<Rooms>,
        registration: Registration,
    ) -> Result<SignedIn, AccountError> {
        let (account, token) = rooms.sign_up(registration, &self.program, self.network).await?;
        Ok(SignedIn { account, token, scheme: self.scheme })
    }
}

impl SignedIn {
    /// Returns the header with which a browser keeps the session.
    pub(super) fn cookie(&self) -> SetCookie {
        session_cookie::kept(&self.token.text, self.scheme)
    }
}
