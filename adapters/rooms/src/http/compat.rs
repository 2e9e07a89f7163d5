//! The routes of the documents that the service follows, on the same handlers as our own.

mod neural;
mod talkrooms;
mod vaultroom;

use std::sync::Arc;

use axum::Router;

use crate::service::Rooms;

pub(super) fn routes(rooms: &Arc<Rooms>) -> Router {
    talkrooms::routes().merge(vaultroom::routes(rooms)).merge(neural::routes(rooms))
}
