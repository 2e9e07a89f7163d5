//! The row of the journal: an entry batch, with everything that one group commit made durable.

use std::sync::Arc;

use palabre_script::{Answer, Effects, Wait};
use palabre_types::{Bot, Event, EventName, Fault, Millis, RunId, ScriptName};
use serde::{Deserialize, Serialize};

/// An entry batch of the journal. Its key is its number.
///
/// Numbers increase by one from batch to batch. Batches without events and runs are not stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EntryBatch {
    /// The time when it was closed.
    pub at: Millis,
    /// The next sequence number: above that of every event so far.
    pub next_seq: u64,
    /// The low-water mark: the oldest batch with something unfinished. Older ones may be removed.
    pub low: u64,
    /// The scripts that this batch mentions; the records refer to them by position.
    #[serde(default)]
    pub scripts: Vec<ScriptVersion>,
    /// Events, in order.
    #[serde(default)]
    pub events: Vec<EventRecord>,
    /// Steps of runs, with their effects.
    ///
    /// Their actions, counted over all steps of the batch, are the entries of the outbox.
    #[serde(default)]
    pub runs: Vec<RunRecord>,
}

/// An entry batch as it is stored: MessagePack, compressed with LZ4.
///
/// Events of one room repeat each other almost word for word, so they compress well.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackedBatch {
    #[serde(with = "serde_bytes")]
    lz4: Vec<u8>,
}

impl EntryBatch {
    /// Encodes and compresses the batch.
    ///
    /// `plain` is the buffer for the encoded bytes, reused from batch to batch.
    pub(crate) fn pack(&self, plain: &mut Vec<u8>) -> PackedBatch {
        plain.clear();
        // Encoding our own types into memory cannot fail; a truncated batch would be noticed when
        // it is read.
        if let Err(error) = rmp_serde::encode::write_named(plain, self) {
            tracing::error!("cannot encode an entry batch of the journal: {error}");
        }
        PackedBatch { lz4: lz4_flex::compress_prepend_size(plain) }
    }
}

impl PackedBatch {
    /// Decompresses and decodes the batch, or returns what is wrong with it.
    pub(crate) fn unpack(&self) -> Result<EntryBatch, String> {
        let plain = lz4_flex::decompress_size_prepended(&self.lz4).map_err(|error| error.to_string())?;
        rmp_serde::from_slice(&plain).map_err(|error| error.to_string())
    }
}

/// A script at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptVersion {
    /// Its name.
    pub name: ScriptName,
    /// The hash of its files.
    pub version: Arc<str>,
}

/// Returns the bot of events that belong to no bot: the runtime itself.
pub(crate) fn own_bot() -> Bot {
    Bot { name: "palabre".into(), platform: "palabre".into() }
}

/// An event and the scripts that receive it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its sequence number.
    pub seq: u64,
    /// Positions of the scripts in [`EntryBatch::scripts`].
    pub targets: Vec<u16>,
    /// The event.
    pub event: Arc<Event>,
}

/// One step of a run: from its start or a wait to its end or the next wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its identity.
    pub run: RunId,
    /// Position of the script in [`EntryBatch::scripts`].
    pub script: u16,
    /// The hook.
    pub hook: EventName,
    /// The time that the script saw during the step.
    pub now: Millis,
    /// The seed of its random numbers.
    pub seed: u64,
    /// The answer that ended the wait before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Its outcome.
    #[serde(default, skip_serializing_if = "RunOutcome::is_done")]
    pub outcome: RunOutcome,
    /// Its effects.
    #[serde(default)]
    pub effects: Effects,
}

/// The outcome of a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The hook returned.
    #[default]
    Done,
    /// The hook waits.
    Waiting(Wait),
    /// The hook raised an error; its effects are empty.
    Failed(Fault),
}

impl RunOutcome {
    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}
