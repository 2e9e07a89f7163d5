//! Neural Chat Engine: sessions of one person and the bots.

mod description;
mod history;
mod message;
mod socket;
mod streaming;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};

use crate::accounts::rows::Scope;
use crate::conversation::{SessionOwner, session_owner};
use crate::http::caller::MaybeCaller;
use crate::http::problem::{Problem, unauthorized};
use crate::limiter::Network;
use crate::presence::Author;
use crate::service::Rooms;
use crate::sessions::ChatSession;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    // It has a limit of its own, and is read in parts.
    let upload = post(upload::upload).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/chat/message", post(message::send))
        .route("/chat/history/{session}", get(history::page))
        .route("/chat/sessions", get(history::sessions))
        .route("/chat/session/{id}", delete(history::remove))
        .route("/chat/upload", upload)
        .route("/chat/export/{session}", get(history::export))
        .route("/chat/feedback", post(history::rate))
        .route("/ws/chat/{session_id}", get(socket::open))
        .with_state(Arc::clone(rooms))
}

impl Rooms {
    /// Returns the session with an id, if the caller may use it in this way.
    async fn session_of_caller(&self, caller: &MaybeCaller, id: &str, scope: Scope) -> Result<ChatSession, Problem> {
        caller.require(scope)?;
        if caller.account().is_none() && matches!(session_owner(id), Some(SessionOwner::Account(_))) {
            return Err(unauthorized("this session is of an account; sign in first, or send a valid token"));
        }
        let session = self.find_session(caller.account(), id).await?;
        self.check_ban(&session.author)?;
        Ok(session)
    }

    /// Creates a session of the caller.
    async fn session_for_caller(&self, caller: &MaybeCaller, network: Network) -> Result<ChatSession, Problem> {
        caller.require(Scope::Write)?;
        if let Some(account) = caller.account() {
            self.check_ban(&Author::of_account(account))?;
        }
        Ok(self.create_session(caller.account(), network).await?)
    }

    /// Checks that a person is not banned.
    fn check_ban(&self, author: &Author) -> Result<(), Problem> {
        let now = self.clock.now();
        let banning = self.members.banning(&author.username.to_lowercase(), &author.guest, now);
        match banning.and_then(|row| row.banned(now)) {
            Some(problem) => Err(Problem::new(StatusCode::FORBIDDEN, problem)),
            None => Ok(()),
        }
    }
}
