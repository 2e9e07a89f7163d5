//! The gateway: websockets that deliver events to shards.

mod close;
mod commands;
mod connection;
pub(super) mod cut;
mod identify;
mod members;
mod packing;
pub(super) mod session;
mod sessions;

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::server::listener::accept;

use super::shared::Shared;

/// Accepts connections for as long as it is polled.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut number = 0;
    let serve = |stream| {
        number += 1;
        connection::serve(stream, Arc::clone(&shared), number)
    };
    accept(listener, &shared.changes, serve).await;
}
