//! The HTTP routes of the service.
//!
//! Each file below is one group of handlers; Socket.IO has its entry point in `gateway`.

mod compat;
mod download;
mod percent;
mod rest;
mod upload;
mod web;

use std::sync::Arc;

use axum::Router;

use crate::gateway;
use crate::service::Rooms;

impl Rooms {
    /// Returns all HTTP routes of the service: the page, its assets, REST and Socket.IO.
    pub fn router(self: &Arc<Self>) -> Router {
        web::routes().merge(rest::routes(self)).merge(compat::routes()).merge(gateway::routes(self))
    }
}
