//! The row of the journal: an entry batch, with everything that one group commit made durable.

use std::sync::Arc;

use palabre_types::{Action, ActionKey, EventName, Millis, ScriptName};
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, EventRecord, Notice, RunRecord};

/// An entry batch of the journal. Its key is its number.
///
/// Numbers increase by one from batch to batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EntryBatch {
    /// The time when it was opened.
    pub at: Millis,
    /// The next sequence number: above that of every event so far.
    pub next_seq: u64,
    /// The low-water mark: the oldest batch with something unfinished. Older ones may be removed.
    pub low: u64,
    /// The scripts that this batch mentions; the records refer to them by position.
    #[serde(default)]
    pub scripts: Vec<ScriptVersion>,
    /// The entries, in order.
    ///
    /// The actions of steps and notices, counted over the batch, are the entries of the outbox.
    /// Required: batches of earlier builds have events and runs instead, which must not be passed over.
    pub entries: Vec<Entry>,
}

/// An entry batch as it is stored: MessagePack, compressed with LZ4.
///
/// Events of one room repeat each other almost word for word, so they compress well.
#[derive(Debug, Serialize, Deserialize)]
pub struct PackedBatch {
    #[serde(with = "serde_bytes")]
    lz4: Vec<u8>,
}

impl EntryBatch {
    /// Returns its events, in order.
    pub fn events(&self) -> impl Iterator<Item = &EventRecord> {
        self.entries.iter().filter_map(Entry::ingress)
    }

    /// Returns its steps of runs, in order.
    pub fn steps(&self) -> impl Iterator<Item = &RunRecord> {
        self.entries.iter().filter_map(|entry| if let Entry::Step(record) = entry { Some(record) } else { None })
    }

    /// Consumes the batch, and returns its events, in order.
    pub fn into_events(self) -> impl Iterator<Item = EventRecord> {
        self.entries
            .into_iter()
            .filter_map(|entry| if let Entry::Ingress(record) = entry { Some(record) } else { None })
    }

    /// Consumes the batch, and returns its steps of runs, in order.
    pub fn into_steps(self) -> impl Iterator<Item = RunRecord> {
        self.entries.into_iter().filter_map(|entry| if let Entry::Step(record) = entry { Some(record) } else { None })
    }

    /// Consumes the batch, and returns its actions in the order of their indexes.
    pub fn into_actions(self) -> impl Iterator<Item = RequestedAction> {
        self.entries.into_iter().flat_map(|entry| match entry {
            Entry::Step(step) => {
                let RunRecord { hook, now, spilled, effects, .. } = step;
                let actions = (0..).zip(effects.actions).map(|(index, action)| {
                    let is_spilled = spilled.iter().any(|spilled| spilled.index == index);
                    RequestedAction { hook, now, action, is_spilled }
                });
                actions.collect()
            }
            Entry::Notice(Notice { key, action, now, spilled }) => {
                let (hook, is_spilled) = (EventName::Error, spilled.is_some());
                vec![RequestedAction { hook, now, action: (key, action), is_spilled }]
            }
            _ => Vec::new(),
        })
    }

    /// Encodes and compresses the batch.
    ///
    /// `plain` is the buffer for the encoded bytes, reused from batch to batch.
    pub fn pack(&self, plain: &mut Vec<u8>) -> PackedBatch {
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
    pub fn unpack(&self) -> Result<EntryBatch, String> {
        rmp_serde::from_slice(&self.plain()?).map_err(|error| explained(error.to_string()))
    }

    /// Decompresses the batch.
    pub(crate) fn plain(&self) -> Result<Vec<u8>, String> {
        lz4_flex::decompress_size_prepended(&self.lz4).map_err(|error| error.to_string())
    }
}

/// Returns an error of the decoder in a form that operators understand.
pub(crate) fn explained(error: String) -> String {
    if !error.contains("missing field `entries`") {
        return error;
    }
    "it is of a build before 2026-11-29, whose journal cannot be read any more; let that build finish its work, or \
     move the data folder away"
        .to_owned()
}

/// An action of a step or notice.
#[derive(Debug, Clone)]
pub struct RequestedAction {
    /// The hook that requested it.
    pub hook: EventName,
    /// The time when it was requested.
    pub now: Millis,
    /// The action and its key.
    pub action: (ActionKey, Action),
    /// Whether it has a row of its own, since the outbox had no room for it in memory.
    pub is_spilled: bool,
}

/// A script at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptVersion {
    /// Its name.
    pub name: ScriptName,
    /// The hash of its files, settings and grants, under which the version is stored.
    pub version: Arc<str>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_an_earlier_build_is_not_passed_over() {
        let earlier = serde_json::json!({ "at": 1, "next_seq": 2, "low": 1, "events": [], "runs": [] });
        let packed = PackedBatch { lz4: lz4_flex::compress_prepend_size(&rmp_serde::to_vec_named(&earlier).unwrap()) };
        assert!(packed.unpack().unwrap_err().contains("move the data folder away"));
        let empty = EntryBatch::default();
        assert_eq!(empty.pack(&mut Vec::new()).unpack().unwrap().entries.len(), 0);
    }
}
