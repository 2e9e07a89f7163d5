//! What one journal row holds: everything that one group commit of the engine made durable.

use std::sync::Arc;

use palabre_model::{Event, EventName, Fault, Millis, ScriptName};
use palabre_script::{Answer, Effects, Wait};
use serde::{Deserialize, Serialize};

/// A block of the journal. Its key is its number; numbers go up by one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Block {
    /// When it was closed.
    pub at: Millis,
    /// The first sequence number that no event up to here has.
    pub next_seq: u64,
    /// The oldest block that still holds something unfinished; older ones may be removed.
    pub low: u64,
    /// The scripts that this block speaks of; the records name them by position.
    #[serde(default)]
    pub scripts: Vec<ScriptVersion>,
    /// Events, in order.
    #[serde(default)]
    pub events: Vec<EventRecord>,
    /// Stretches of runs that ended, with what they want done; their actions, counted through, are the outbox entries.
    #[serde(default)]
    pub runs: Vec<RunRecord>,
}

/// A block as the journal keeps it: MessagePack, packed with LZ4. Events of one room repeat each other almost word for word.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PackedBlock {
    #[serde(with = "serde_bytes")]
    lz4: Vec<u8>,
}

impl Block {
    /// `plain` is for the bytes before they are packed, kept from block to block.
    pub(crate) fn pack(&self, plain: &mut Vec<u8>) -> PackedBlock {
        plain.clear();
        // Data of our own types into memory cannot fail; a block that stops short would be seen when it is read.
        if let Err(error) = rmp_serde::encode::write_named(plain, self) {
            tracing::error!("a block of the journal cannot be written down: {error}");
        }
        PackedBlock { lz4: lz4_flex::compress_prepend_size(plain) }
    }
}

impl PackedBlock {
    /// The block, or what is wrong with it.
    pub(crate) fn unpack(&self) -> Result<Block, String> {
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

/// An event and who is to have it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventRecord {
    /// Its number.
    pub seq: u64,
    /// Positions in [`Block::scripts`].
    pub targets: Vec<u16>,
    /// The event.
    pub event: Arc<Event>,
}

/// One stretch of a run: from its start or a wait to its end or the next wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunRecord {
    /// The event's number.
    pub seq: u64,
    /// Which stretch.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// Position in [`Block::scripts`].
    pub script: u16,
    /// The hook.
    pub hook: EventName,
    /// The time that the stretch saw.
    pub now: Millis,
    /// Where its random numbers began.
    pub seed: u64,
    /// What ended the wait before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "RunOutcome::is_done")]
    pub outcome: RunOutcome,
    /// What it wants.
    #[serde(default)]
    pub effects: Effects,
}

/// How a stretch ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// The hook returned.
    #[default]
    Done,
    /// The hook waits.
    Waiting(Wait),
    /// The hook raised; its effects are empty.
    Failed(Fault),
}

impl RunOutcome {
    const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}
