//! The HTTP routes of the service.
//!
//! Each file below is one group of handlers; Socket.IO has its entry point in `gateway`.

mod auth;
mod body;
pub(crate) mod caller;
mod changes;
mod compat;
mod download;
mod groups;
mod listing;
mod messages;
mod people;
mod percent;
mod problem;
mod rest;
mod sign_in;
mod upload;
mod web;

use std::sync::Arc;

use axum::Router;

use crate::gateway;
use crate::service::Rooms;

impl Rooms {
    /// Returns all HTTP routes of the service: the page, its assets, REST and Socket.IO.
    pub fn router(self: &Arc<Self>) -> Router {
        web::routes()
            .merge(rest::routes(self))
            .merge(auth::routes(self))
            .merge(people::routes(self))
            .merge(messages::routes(self))
            .merge(changes::routes(self))
            .merge(groups::routes(self))
            .merge(listing::routes(self))
            .merge(compat::routes(self))
            .merge(gateway::routes(self))
    }
}
