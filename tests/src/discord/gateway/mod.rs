//! The gateway: websockets that deliver events to shards.

mod commands;
mod connection;
mod identify;
mod members;
mod packing;
mod session;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Shared;

pub(super) use session::{Identifies, Session};

/// A fault of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Closed with Discord's code 4000, *unknown error, try to reconnect*.
    Clean,
    /// Closed with this code.
    Close(u16),
    /// The socket is closed without a close frame.
    Dirty,
    /// Discord reports the session as invalid.
    InvalidSession {
        /// Whether it can be resumed nevertheless.
        resumable: bool,
    },
    /// Discord requests a reconnect.
    Reconnect,
    /// Nothing is sent any more, heartbeats are not acknowledged, and the socket stays open.
    Silence,
}

/// A close code of Discord, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Close(u16, &'static str);

impl Close {
    const UNKNOWN: Self = Self(4000, "Unknown error.");
    const OPCODE: Self = Self(4001, "Unknown opcode.");
    const DECODE: Self = Self(4002, "Error while decoding payload.");
    const NOT_AUTHENTICATED: Self = Self(4003, "Not authenticated.");
    const AUTHENTICATION: Self = Self(4004, "Authentication failed.");
    const ALREADY: Self = Self(4005, "Already authenticated.");
    const SEQUENCE: Self = Self(4007, "Invalid seq.");
    const RATE: Self = Self(4008, "Rate limited.");
    const TIMEOUT: Self = Self(4009, "Session timed out.");
    const SHARD: Self = Self(4010, "Invalid shard.");
    const SHARDING: Self = Self(4011, "Sharding required.");
    const VERSION: Self = Self(4012, "Invalid API version.");
    const INTENTS: Self = Self(4013, "Invalid intent(s).");
    const DISALLOWED: Self = Self(4014, "Disallowed intent(s).");

    /// Whether the client may resume its session.
    fn is_resumable(self) -> bool {
        ![Self::SEQUENCE.0, Self::TIMEOUT.0].contains(&self.0)
    }
}

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
