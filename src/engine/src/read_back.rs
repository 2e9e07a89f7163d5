//! Reads events of a lagging script back from the journal, on a thread of its own.
//!
//! So a script that lags costs a cursor, not a queue.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use palabre_platform::{Pulse, Vitals};
use palabre_state::{EntryBatch, EventRecord, JOURNAL, ScriptVersion, unpacked};
use palabre_store::{Direction, Result, Store};
use palabre_types::ScriptName;

use crate::backlog::{Cursor, Queued, Read, weight};
use crate::message::CoreMessage;

/// Time for which batches that were unpacked stay in memory.
const UNPACKED_RETENTION: Duration = Duration::from_secs(1);
/// Maximum size of their events, in bytes; the batch that was unpacked last is kept in any case.
///
/// Several scripts that lag are in different batches, and each reads its batch in several parts.
const UNPACKED_BYTES_MAX: usize = 8 << 20;

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

/// The events of a batch of the journal.
struct UnpackedEvents {
    number: u64,
    scripts: Vec<ScriptVersion>,
    events: Vec<EventRecord>,
    bytes: usize,
}

impl UnpackedEvents {
    /// Keeps the events alone: steps may hold values of many megabytes.
    fn new(number: u64, mut batch: EntryBatch) -> Self {
        let scripts = std::mem::take(&mut batch.scripts);
        let events: Vec<EventRecord> = batch.into_events().collect();
        let bytes = events.iter().map(|record| weight(&record.event)).sum();
        Self { number, scripts, events, bytes }
    }
}

/// The batches that were unpacked recently, the last one at the back.
#[derive(Default)]
struct Unpacked(VecDeque<UnpackedEvents>);

impl Unpacked {
    /// Returns a batch, unpacked by `unpack` if it is not in memory.
    fn batch(
        &mut self,
        number: u64,
        unpack: impl FnOnce() -> Result<UnpackedEvents>,
    ) -> Result<Option<&UnpackedEvents>> {
        let known = self.0.iter().position(|batch| batch.number == number);
        let batch = match known.and_then(|position| self.0.remove(position)) {
            Some(batch) => batch,
            None => unpack()?,
        };
        self.0.push_back(batch);
        let mut bytes: usize = self.0.iter().map(|batch| batch.bytes).sum();
        while bytes > UNPACKED_BYTES_MAX
            && self.0.len() > 1
            && let Some(oldest) = self.0.pop_front()
        {
            bytes -= oldest.bytes;
        }
        Ok(self.0.back())
    }
}

/// Starts the thread. It ends when the returned sender of requests is dropped.
///
/// # Errors
/// If the operating system does not start it.
pub(crate) fn start(
    store: Store,
    core: Sender<CoreMessage>,
    vitals: &Arc<Vitals>,
) -> std::io::Result<(Sender<ReadBack>, JoinHandle<()>)> {
    let (sender, requests) = crossbeam_channel::unbounded();
    let thread = vitals.spawn("journal-reader", move |pulse| run(&store, &requests, &core, pulse))?;
    Ok((sender, thread))
}

/// Answers requests until the sequencer has dropped its sender.
fn run(store: &Store, requests: &Receiver<ReadBack>, core: &Sender<CoreMessage>, pulse: &Pulse) {
    let mut recent = Unpacked::default();
    loop {
        let request = if !recent.0.is_empty() {
            requests.recv_timeout(UNPACKED_RETENTION)
        } else {
            requests.recv().map_err(RecvTimeoutError::from)
        };
        let request = match request {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => {
                recent = Unpacked::default();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        pulse.beat();
        let (script_id, from) = (request.script_id, request.from);
        let read = read(store, &request, &mut recent).map_err(|error| error.to_string());
        drop(core.send(CoreMessage::ReadBack { script_id, from, read }));
        pulse.idle();
    }
}

/// Reads the events of a request.
fn read(store: &Store, request: &ReadBack, recent: &mut Unpacked) -> Result<Read> {
    let snapshot = store.snapshot(0)?;
    let (mut queued, mut bytes) = (Vec::new(), 0);
    let before = request.from.block.saturating_sub(1);
    for row in JOURNAL.scan_after(&snapshot, &Vec::new(), &before, Direction::Forward)? {
        let (number, packed) = row?;
        if number > request.through {
            break;
        }
        let unpack = || Ok(UnpackedEvents::new(number, unpacked(Ok((number, packed)))?.1));
        let Some(block) = recent.batch(number, unpack)? else { continue };
        let targeted: Vec<bool> = block.scripts.iter().map(|script| script.name == request.script).collect();
        for record in &block.events {
            let is_for_it = record.targets.iter().any(|target| targeted.get(usize::from(*target)) == Some(&true));
            if !is_for_it || (number == request.from.block && record.seq < request.from.seq) {
                continue;
            }
            let weight = weight(&record.event);
            if !queued.is_empty() && (queued.len() >= request.events || bytes + weight > request.bytes) {
                return Ok((queued, Cursor { block: number, seq: record.seq }));
            }
            bytes += weight;
            queued.push(Queued { seq: record.seq, block: number, bytes: weight, event: Arc::clone(&record.event) });
        }
    }
    Ok((queued, Cursor { block: request.through + 1, seq: 0 }))
}
