//! Events of a script that wait: a window of them in memory, the rest in the journal.

use std::sync::Arc;

use palabre_state::RecoveryAttempts;
use palabre_types::{Event, EventKind, Message};
use serde_json::Value;

/// Approximate maximum size of a script's events in memory, in bytes.
pub(crate) const WINDOW_BYTES: usize = 8 << 20;

/// The position in the journal from which a script continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) block: u64,
    /// The first sequence number to read in that batch.
    pub(crate) seq: u64,
}

/// An event on its way to a script.
#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) seq: u64,
    pub(crate) block: u64,
    pub(crate) bytes: usize,
    pub(crate) event: Arc<Event>,
}

/// The events that were read back from the journal, and the position to continue from.
pub(crate) type Read = (Vec<Queued>, Cursor);

/// The events of the journal that a script has not handled, as a start finds them.
pub(crate) struct Unfinished {
    /// The first of them.
    pub(crate) first: Queued,
    pub(crate) count: u64,
    /// Whether they are replayed one at a time, each durable before the next: one may be poison.
    pub(crate) is_one_at_a_time: bool,
    /// The row that is written before they are handed to the script.
    pub(crate) attempts: RecoveryAttempts,
    /// The position to continue from.
    pub(crate) cursor: Cursor,
}

/// Returns the approximate memory use of an event, in bytes.
pub(crate) fn weight(event: &Event) -> usize {
    // The fixed part: ids and names of bot, space, room, user and member.
    const FIXED: usize = 1_024;
    FIXED
        + match &event.kind {
            EventKind::Message { message } | EventKind::BeforeMessage { message } => text(message),
            EventKind::Timer { payload, .. } => value(payload),
            EventKind::Request { request, .. } => value(request),
            EventKind::Native { data, .. } => value(data),
            _ => 0,
        }
}

fn text(message: &Message) -> usize {
    message.content.text.len() + 256 * message.content.attachments.len()
}

fn value(value: &Value) -> usize {
    let node = size_of::<Value>();
    node + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(self::value).sum(),
        Value::Object(fields) => fields.iter().map(|(name, field)| node + name.len() + self::value(field)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}
