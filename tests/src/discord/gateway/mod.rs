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
use tokio::task::JoinSet;

use super::shared::Shared;

/// Accepts connections for as long as it is polled.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                number += 1;
                connections.spawn(connection::serve(stream, Arc::clone(&shared), number));
            }
            Some(ended) = connections.join_next() => shared.changes.record_end(ended),
        }
    }
}
