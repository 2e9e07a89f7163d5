//! Who has banned or kicked somebody is said by another frame than that it was done, in either order. So after one of those the next
//! frames are looked at before it is told, for a moment.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use super::session::SessionRow;

/// How long the audit log is waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);

/// A frame: its name, what it says, and where its session stood when it came.
pub(super) struct Held {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) session: Option<SessionRow>,
}

/// Frames that wait for the audit log to speak of the first of them.
#[derive(Default)]
pub(super) struct Hold {
    frames: VecDeque<Held>,
    until: Option<tokio::time::Instant>,
}

impl Hold {
    /// Whether the audit log may have something to say of it.
    pub(super) fn concerns(name: &str) -> bool {
        matches!(name, "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" | "GUILD_MEMBER_REMOVE")
    }

    pub(super) fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// When the wait is over.
    pub(super) fn until(&self) -> Option<tokio::time::Instant> {
        self.until
    }

    /// Takes a frame in; the wait begins with the first.
    pub(super) fn push(&mut self, frame: Held) {
        self.until.get_or_insert_with(|| tokio::time::Instant::now() + PATIENCE);
        self.frames.push_back(frame);
    }

    /// Ends the wait: all frames, in their order.
    pub(super) fn release(&mut self) -> VecDeque<Held> {
        self.until = None;
        std::mem::take(&mut self.frames)
    }
}
