//! The events of an entry batch, decoded one by one.
//!
//! A script that lags reads a large batch in parts. Steps make up most of it, and may hold values of many
//! megabytes: they are passed over.

use std::sync::Arc;

use palabre_types::Event;
use rmp_serde::Deserializer;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::entry_batch::{PackedBatch, ScriptVersion, explained};

/// An entry batch that is decompressed, but not decoded.
#[derive(Debug)]
pub struct BatchEvents {
    plain: Vec<u8>,
    scripts: Vec<ScriptVersion>,
    first: EntryPosition,
}

/// The position of an entry in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPosition {
    offset: usize,
    /// Number of entries from this one to the end.
    left: u32,
}

/// An event in a batch, not yet decoded.
#[derive(Debug)]
pub struct PackedEvent<'b> {
    /// Its sequence number.
    pub seq: u64,
    /// Positions of the scripts that receive it in [`BatchEvents::scripts`].
    pub targets: Vec<u16>,
    /// The position of its entry.
    pub at: EntryPosition,
    /// The position of the next entry.
    pub next: EntryPosition,
    entry: &'b [u8],
}

/// An [`Entry`](crate::entry::Entry) of which the event is decoded as `T`, and nothing else.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventOrOther<T> {
    Ingress(T),
    #[serde(alias = "rows", alias = "step", alias = "edit", alias = "progress", alias = "notice")]
    #[serde(alias = "action", alias = "given_up", alias = "went_back")]
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Addressees {
    seq: u64,
    targets: Vec<u16>,
}

#[derive(Deserialize)]
struct Content {
    event: Arc<Event>,
}

impl BatchEvents {
    /// Decompresses a batch.
    ///
    /// # Errors
    /// If the batch is damaged, or of an earlier build.
    pub fn unpack(packed: &PackedBatch) -> Result<Self, String> {
        Self::new(packed.plain()?).map_err(explained)
    }

    fn new(plain: Vec<u8>) -> Result<Self, String> {
        let mut rest = plain.as_slice();
        let (mut scripts, mut first) = (Vec::new(), None);
        for _ in 0..rmp::decode::read_map_len(&mut rest).map_err(|error| error.to_string())? {
            match decode::<String>(&mut rest)?.as_str() {
                "scripts" => scripts = decode(&mut rest)?,
                "entries" => {
                    let mut entries = rest;
                    let left = rmp::decode::read_array_len(&mut entries).map_err(|error| error.to_string())?;
                    first = Some(EntryPosition { offset: plain.len() - entries.len(), left });
                    // The last field of a batch.
                    break;
                }
                _ => drop(decode::<IgnoredAny>(&mut rest)?),
            }
        }
        let first = first.ok_or("missing field `entries`")?;
        Ok(Self { scripts, first, plain })
    }

    /// Returns the scripts that the batch mentions; events refer to them by position.
    #[must_use]
    pub fn scripts(&self) -> &[ScriptVersion] {
        &self.scripts
    }

    /// Returns the position of the first entry.
    #[must_use]
    pub const fn first(&self) -> EntryPosition {
        self.first
    }

    /// Returns the size of the batch in memory, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.plain.len()
    }

    /// Returns the next event from a position on.
    ///
    /// # Errors
    /// If the batch is damaged.
    pub fn next_event(&self, mut at: EntryPosition) -> Result<Option<PackedEvent<'_>>, String> {
        while at.left > 0 {
            let entry = self.plain.get(at.offset..).unwrap_or_default();
            let mut rest = entry;
            let found: EventOrOther<Addressees> = decode(&mut rest)?;
            let next = EntryPosition { offset: self.plain.len() - rest.len(), left: at.left - 1 };
            if let EventOrOther::Ingress(Addressees { seq, targets }) = found {
                return Ok(Some(PackedEvent { seq, targets, at, next, entry }));
            }
            at = next;
        }
        Ok(None)
    }
}

impl PackedEvent<'_> {
    /// Decodes the event.
    ///
    /// # Errors
    /// If the batch is damaged.
    pub fn decode(&self) -> Result<Arc<Event>, String> {
        match rmp_serde::from_slice(self.entry).map_err(|error| error.to_string())? {
            EventOrOther::Ingress(Content { event }) => Ok(event),
            EventOrOther::Other(_) => Err("an entry is no event".to_owned()),
        }
    }
}

/// Decodes a value at the beginning of `rest`, which is what follows it afterwards.
fn decode<T: for<'de> Deserialize<'de>>(rest: &mut &[u8]) -> Result<T, String> {
    T::deserialize(&mut Deserializer::new(rest)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]

    use palabre_types::{Batch, Bot, EventKind, Reason};

    use super::*;
    use crate::clock_steps::WentBack;
    use crate::entry::{Entry, EventRecord, Progress, RowsRecord};
    use crate::entry_batch::EntryBatch;

    fn ingress(seq: u64, targets: &[u16]) -> Entry {
        let bot = Bot { name: "b".into(), platform: "p".into() };
        let event = Arc::new(Event::without_place(bot, seq, EventKind::Load { reason: Reason::Start }));
        Entry::Ingress(EventRecord { seq, targets: targets.to_vec(), event, rows: Batch::default(), timer: None })
    }

    #[test]
    fn events_are_found_between_other_entries_from_any_position() {
        let rows = RowsRecord { source: "s".to_owned(), reason: "r".into(), rows: Batch::default() };
        let progress = Progress { script: 0, cursor: Some(1), waits: Vec::new(), deferred: Vec::new() };
        let entries = vec![
            Entry::Rows(rows),
            ingress(5, &[0]),
            Entry::Progress(progress),
            Entry::WentBack(WentBack { now: 1, last: 2, from: 3 }),
            ingress(6, &[]),
            ingress(7, &[1, 0]),
        ];
        let scripts = vec![ScriptVersion { name: "a".into(), version: "1".into() }];
        let batch = EntryBatch { scripts, entries, ..EntryBatch::default() };
        let events = BatchEvents::unpack(&batch.pack(&mut Vec::new())).unwrap();
        assert_eq!(events.scripts().len(), 1);
        let mut found = Vec::new();
        let mut at = events.first();
        while let Some(event) = events.next_event(at).unwrap() {
            assert_eq!(event.decode().unwrap().time, event.seq);
            assert_eq!(events.next_event(event.at).unwrap().unwrap().seq, event.seq, "from its own position");
            found.push((event.seq, event.targets.clone()));
            at = event.next;
        }
        assert_eq!(found, [(5, vec![0]), (6, vec![]), (7, vec![1, 0])]);
    }
}
