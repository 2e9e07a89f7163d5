//! Counters of the room service since its start.

use std::sync::atomic::AtomicU64;

/// The counters.
#[derive(Default)]
pub(crate) struct Counts {
    /// Messages shown in rooms.
    pub(crate) messages: AtomicU64,
    /// Clients disconnected because their queue was full.
    pub(crate) slow_clients: AtomicU64,
    /// Connections refused at a limit.
    pub(crate) refused_connections: AtomicU64,
}
