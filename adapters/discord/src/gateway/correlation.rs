//! Joins bans and kicks with their audit-log entries.
//!
//! Discord sends an action and its author in two frames, in either order. After a frame that may
//! have an entry, frames are buffered until the entry arrives, for up to 250 ms.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use super::session::SessionRow;

/// The longest wait for an audit-log entry.
pub(super) const AUDIT_ENTRY_TIMEOUT: Duration = Duration::from_millis(250);

/// A buffered frame: its name and data, and the state of its session when it arrived.
pub(super) struct BufferedFrame {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) session: Option<SessionRow>,
}

/// Frames that wait for the audit-log entry of the first of them.
#[derive(Default)]
pub(super) struct CorrelationBuffer {
    frames: VecDeque<BufferedFrame>,
    until: Option<tokio::time::Instant>,
}

impl CorrelationBuffer {
    /// Whether the audit log may have an entry for a frame of this name.
    pub(super) fn concerns(name: &str) -> bool {
        matches!(name, "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" | "GUILD_MEMBER_REMOVE")
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.until.is_some()
    }

    /// Returns the end of the wait, if there is one.
    pub(super) fn until(&self) -> Option<tokio::time::Instant> {
        self.until
    }

    /// Appends a frame; the first one starts the wait.
    pub(super) fn push(&mut self, frame: BufferedFrame) {
        self.until.get_or_insert_with(|| tokio::time::Instant::now() + AUDIT_ENTRY_TIMEOUT);
        self.frames.push_back(frame);
    }

    /// Ends the wait, and returns all frames in order.
    pub(super) fn release(&mut self) -> VecDeque<BufferedFrame> {
        self.until = None;
        std::mem::take(&mut self.frames)
    }
}
