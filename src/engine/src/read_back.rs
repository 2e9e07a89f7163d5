//! Reads events of a lagging script back from the journal, on a thread of its own.
//!
//! So a script that lags costs a cursor, not a queue.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use palabre_model::{Event, EventKind, Message, ScriptName};
use palabre_store::{Direction, Result, Store};
use serde_json::Value;

use crate::sequencer::CoreMessage;
use crate::tables::{JOURNAL, unpacked};
use crate::vitals::Pulse;

/// Maximum number of a script's events in memory; the rest is read back as these are handled.
pub(crate) const WINDOW_EVENTS: usize = 4_096;
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

/// A request for events of a script.
pub(crate) struct ReadBack {
    pub(crate) script_id: usize,
    pub(crate) script: ScriptName,
    pub(crate) from: Cursor,
    /// The last batch that is durable.
    pub(crate) through: u64,
    /// Maximum number of events, and of their bytes; one event is read in any case.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// The events that were read, and the position to continue from.
pub(crate) type Read = (Vec<Queued>, Cursor);

/// Answers requests until the engine has dropped its sender.
pub(crate) fn run(store: &Store, requests: &Receiver<ReadBack>, core: &Sender<CoreMessage>, pulse: &Pulse) {
    while let Ok(request) = requests.recv() {
        pulse.beat();
        let (script_id, from) = (request.script_id, request.from);
        let read = read(store, &request).map_err(|error| error.to_string());
        drop(core.send(CoreMessage::ReadBack { script_id, from, read }));
        pulse.idle();
    }
}

fn read(store: &Store, request: &ReadBack) -> Result<Read> {
    let snapshot = store.snapshot(0)?;
    let (mut queued, mut bytes) = (Vec::new(), 0);
    let before = request.from.block.saturating_sub(1);
    for row in JOURNAL.scan_after(&snapshot, &Vec::new(), &before, Direction::Forward)? {
        let (number, block) = unpacked(row)?;
        if number > request.through {
            break;
        }
        let targeted: Vec<bool> = block.scripts.iter().map(|script| script.name == request.script).collect();
        for record in block.events {
            let is_for_it = record.targets.iter().any(|target| targeted.get(usize::from(*target)) == Some(&true));
            if !is_for_it || (number == request.from.block && record.seq < request.from.seq) {
                continue;
            }
            let weight = weight(&record.event);
            if !queued.is_empty() && (queued.len() >= request.events || bytes + weight > request.bytes) {
                return Ok((queued, Cursor { block: number, seq: record.seq }));
            }
            bytes += weight;
            queued.push(Queued { seq: record.seq, block: number, bytes: weight, event: record.event });
        }
    }
    Ok((queued, Cursor { block: request.through + 1, seq: 0 }))
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
