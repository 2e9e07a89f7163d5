//! The block that is being filled, and when it has to be closed.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use palabre_model::{Batch, RoomId, ScriptName};

use crate::awaited::{Fetch, Waiter};
use crate::block::{EventRecord, RunRecord, ScriptVersion};
use crate::outbox::Class;
use crate::recovery::Position;
use crate::script_store::KeyMap;
use crate::sequencer::{ReceiptSender, ReplySender};
use palabre_script::{Answer, Change, MetricChange};
use serde_json::Value;

/// While nothing is being written, a block waits this long for the runs that it has started, so that an event and its answer
/// cost one sync of the disk and not two.
const GATHER: Duration = Duration::from_micros(400);
/// A block that only notes what was sent, or what nobody waits for, waits this long for company: a sync of its own would stand in the
/// way of the next message, and on a busy server there would be one for each. A crash within it makes an action be performed again,
/// under the same key, and the platform tell again what it told.
const GATHER_UNHURRIED: Duration = Duration::from_millis(5);

/// The block that is being filled.
#[derive(Default)]
pub(crate) struct OpenBlock {
    /// When something came in that others wait for.
    pub(crate) since: Option<Instant>,
    /// When something came in that nobody waits for.
    unhurried_since: Option<Instant>,
    pub(crate) scripts: Vec<ScriptVersion>,
    pub(crate) events: Vec<EventRecord>,
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) batch: Batch,
    pub(crate) writes: HashMap<usize, KeyMap<Change>>,
    /// The scripts whose marks it moves.
    pub(crate) marked: BTreeSet<usize>,
    pub(crate) lanes: HashMap<(RoomId, Class), Position>,
    /// Rows of the outbox that this block removes.
    pub(crate) removed: Vec<(String, Class, Position)>,
    pub(crate) receipts: Vec<(u64, ReceiptSender)>,
    pub(crate) chunks: Vec<(Arc<AtomicU64>, u64)>,
    /// Requests that go out once the block is durable.
    pub(crate) fetches: Vec<Fetch>,
    /// Waits that are over at once.
    pub(crate) answers: Vec<(Waiter, Answer)>,
    /// Results of routes.
    pub(crate) replies: Vec<(ReplySender, Result<Value, String>)>,
    pub(crate) metrics: Vec<(ScriptName, MetricChange)>,
}

impl OpenBlock {
    /// When it is closed at the latest, if nothing is being written then; `None` while there is nothing in it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let gathered = self.since.map(|since| since + GATHER);
        gathered.into_iter().chain(self.unhurried_since.map(|since| since + GATHER_UNHURRIED)).min()
    }

    /// Notes that something came in, and whether others wait for it.
    pub(crate) fn touch(&mut self, is_urgent: bool) {
        let since = if is_urgent { &mut self.since } else { &mut self.unhurried_since };
        since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn records(&self) -> usize {
        self.events.len() + self.runs.len() + self.lanes.len()
    }

    pub(crate) fn script(&mut self, name: &ScriptName, version: &Arc<str>) -> u16 {
        let known = self.scripts.iter().rposition(|script| script.name == *name && script.version == *version);
        let position = known.unwrap_or_else(|| {
            self.scripts.push(ScriptVersion { name: name.clone(), version: Arc::clone(version) });
            self.scripts.len() - 1
        });
        u16::try_from(position).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_waits_for_keeps_a_block_open_for_longer_until_somebody_does() {
        let (mut block, now) = (OpenBlock::default(), Instant::now());
        assert_eq!(block.deadline(), None);
        block.touch(false);
        assert!(block.deadline() >= Some(now + GATHER_UNHURRIED));
        block.touch(true);
        assert_eq!(block.deadline(), block.since.map(|since| since + GATHER));
    }
}
