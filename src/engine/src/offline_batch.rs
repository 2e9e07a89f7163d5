//! Entry batches that are written while no sequencer runs: at a start, and by commands.

use palabre_state::{
    Applied, Entry, EntryBatch, Header, JOURNAL, LAST_BATCH, LAST_BATCH_KEY, ScriptVersion, State, apply, unpacked,
};
use palabre_store::{Direction, Result, Snapshot};
use palabre_types::{Batch, Millis, ScriptName};

use crate::recovery::numbers;

/// The next entry batch of a store that nobody else writes.
pub(crate) struct OfflineBatch {
    pub(crate) number: u64,
    state: State,
    batch: EntryBatch,
}

impl OfflineBatch {
    /// Creates an empty batch after all others. `now` is its time.
    pub(crate) fn new(snapshot: &Snapshot, now: Millis) -> Result<Self> {
        let next = numbers(snapshot)?;
        let mut next_seq = next.seq;
        // After a full disk the batch that was written last may not have the highest numbers.
        let before = next.low_water_mark.saturating_sub(1);
        for row in JOURNAL.scan_after(snapshot, &Vec::new(), &before, Direction::Forward)? {
            next_seq = next_seq.max(unpacked(row)?.1.next_seq);
        }
        let batch = EntryBatch { at: now, next_seq, low: next.low_water_mark, ..EntryBatch::default() };
        Ok(Self { number: next.block, state: State::load(snapshot)?, batch })
    }

    /// Returns the position of a script among those of the batch.
    pub(crate) fn script(&mut self, name: ScriptName) -> u16 {
        let script = ScriptVersion { name, version: "".into() };
        let known = self.batch.scripts.iter().position(|other| *other == script).unwrap_or_else(|| {
            self.batch.scripts.push(script);
            self.batch.scripts.len() - 1
        });
        u16::try_from(known).unwrap_or(u16::MAX)
    }

    /// Returns the head of a script.
    pub(crate) fn head(&self, script: &ScriptName) -> u64 {
        self.state.head(script)
    }

    /// Assigns a sequence number.
    pub(crate) const fn assign_seq(&mut self) -> u64 {
        let seq = self.batch.next_seq;
        self.batch.next_seq += 1;
        seq
    }

    /// Adds an entry.
    pub(crate) fn with(mut self, entry: Entry) -> Self {
        self.batch.entries.push(entry);
        self
    }

    /// Applies the entries, and returns all rows including that of the journal.
    pub(crate) fn into_rows(mut self) -> Result<Batch> {
        let (mut out, header) = (Applied::default(), Header { number: self.number, at: self.batch.at });
        for entry in &self.batch.entries {
            apply(&mut self.state, header, &self.batch.scripts, entry, &mut out);
        }
        let mut rows = out.into_rows();
        LAST_BATCH.put(&mut rows, &LAST_BATCH_KEY.to_owned(), &self.number);
        JOURNAL.put(&mut rows, &self.number, &self.batch.pack(&mut Vec::new()));
        Ok(rows)
    }
}
