//! Faults of connections.

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
