//! The HTTP routes of the service.
//!
//! Each file below is one group of handlers; Socket.IO has its entry point in `gateway`.

mod auth;
mod body;
mod bots;
mod caller;
mod changes;
mod compat;
mod download;
mod events;
mod export;
mod feedback;
mod groups;
mod incoming;
mod listing;
mod messages;
mod outgoing;
mod people;
mod percent;
mod problem;
mod registered;
mod rest;
#[cfg(feature = "search")]
mod search;
pub(crate) mod session_cookie;
mod sign_in;
pub(crate) mod site;
mod upload;
mod visitor;
mod web;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;

use crate::gateway;
use crate::service::Rooms;

impl Rooms {
    /// Returns all HTTP routes of the service: the page, its assets, REST and Socket.IO.
    pub fn router(self: &Arc<Self>) -> Router {
        let own = web::routes()
            .merge(rest::routes(self))
            .merge(auth::routes(self))
            .merge(bots::routes(self))
            .merge(people::routes(self))
            .merge(messages::routes(self))
            .merge(events::routes(self))
            .merge(export::routes(self))
            .merge(feedback::routes(self))
            .merge(changes::routes(self))
            .merge(groups::routes(self))
            .merge(webhooks::routes(self))
            .merge(outgoing::routes(self))
            .merge(listing::routes(self))
            .merge(compat::routes(self));
        #[cfg(feature = "search")]
        let own = own.merge(search::routes(self));
        let own = own.fallback(problem::no_route).layer(from_fn(problem::as_json));
        // Clients of Socket.IO expect the texts of its library, and those of Slack its words.
        own.merge(gateway::routes(self)).merge(incoming::routes(self)).layer(from_fn(session_cookie::renew))
    }
}
