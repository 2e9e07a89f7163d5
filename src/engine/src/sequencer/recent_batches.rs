//! The events of recent batches in memory, for scripts that lag.
//!
//! Batches that are not durable cannot be read back from the journal yet. Durable ones stay for a
//! while, since to read one back takes longer than to handle it.

use std::collections::BTreeMap;

use palabre_state::{EventRecord, ScriptVersion};

use crate::backlog::weight;

/// Approximate maximum size of the events of durable batches, in bytes.
const DURABLE_BYTES_MAX: usize = 8 << 20;

/// The events of recent batches, by number.
#[derive(Default)]
pub(super) struct RecentBatches {
    batches: BTreeMap<u64, RecentBatch>,
    durable_bytes: usize,
}

/// The events of a batch.
pub(super) struct RecentBatch {
    /// The scripts that the events refer to by position.
    pub(super) scripts: Vec<ScriptVersion>,
    pub(super) events: Vec<EventRecord>,
    bytes: usize,
    is_durable: bool,
}

impl RecentBatches {
    /// Adds a batch that is not durable.
    pub(super) fn put(&mut self, number: u64, scripts: Vec<ScriptVersion>, events: Vec<EventRecord>) {
        let bytes = events.iter().map(|record| weight(&record.event)).sum();
        self.batches.insert(number, RecentBatch { scripts, events, bytes, is_durable: false });
    }

    /// Records that a batch is durable. Drops batches that no script needs, or for which there is no room.
    ///
    /// `needed` is the oldest batch that a script which lags has not read, if there is one.
    pub(super) fn durable(&mut self, number: u64, needed: Option<u64>) {
        if let Some(batch) = self.batches.get_mut(&number).filter(|batch| !batch.is_durable) {
            batch.is_durable = true;
            self.durable_bytes += batch.bytes;
        }
        while let Some(first) = self.batches.first_entry()
            && first.get().is_durable
            && (needed.is_none_or(|needed| *first.key() < needed) || self.durable_bytes > DURABLE_BYTES_MAX)
        {
            self.durable_bytes -= first.remove().bytes;
        }
    }

    /// Returns the first batch from which on all are in memory, up to the open one, whose number is given.
    pub(super) fn begin(&self, open: u64) -> u64 {
        let mut first = open;
        while first > 0 && self.batches.contains_key(&(first - 1)) {
            first -= 1;
        }
        first
    }

    /// Returns the batches from one on, in order.
    pub(super) fn from(&self, number: u64) -> impl Iterator<Item = (u64, &RecentBatch)> {
        self.batches.range(number..).map(|(number, batch)| (*number, batch))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use palabre_types::{Batch, Bot, Event, EventKind, Reason};

    use super::*;

    fn events(count: u64) -> Vec<EventRecord> {
        let bot = Bot { name: "b".into(), platform: "p".into() };
        let event = Arc::new(Event::without_place(bot, 0, EventKind::Load { reason: Reason::Start }));
        let record =
            |seq| EventRecord { seq, targets: vec![0], event: Arc::clone(&event), rows: Batch::default(), timer: None };
        (0..count).map(record).collect()
    }

    fn numbers(recent: &RecentBatches) -> Vec<u64> {
        recent.from(0).map(|(number, _)| number).collect()
    }

    #[test]
    fn durable_batches_stay_while_a_script_needs_them_and_there_is_room() {
        let mut recent = RecentBatches::default();
        for number in 1..=4 {
            recent.put(number, Vec::new(), events(10));
        }
        recent.durable(1, Some(1));
        recent.durable(2, Some(2));
        assert_eq!((numbers(&recent), recent.begin(5)), (vec![2, 3, 4], 2));
        recent.durable(3, None);
        assert_eq!(numbers(&recent), [4], "nobody needs the others, and this one is not durable");
        for number in 5..=30 {
            recent.put(number, Vec::new(), events(1_024));
            recent.durable(number, Some(1));
        }
        assert_eq!(numbers(&recent)[0], 4, "it is not durable, and keeps those after it");
        recent.durable(4, Some(1));
        let left = numbers(&recent);
        assert!((4..9).contains(&left.len()), "at most 8 MiB are left: {left:?}");
        assert_eq!((left.last(), recent.begin(31)), (Some(&30), left[0]));
        assert_eq!(recent.begin(40), 40, "after a gap nothing is in memory");
    }
}
