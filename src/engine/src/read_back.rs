//! Reads events of a lagging script back from the journal, on a thread of its own.
//!
//! So a script that lags costs a cursor, not a queue.

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

/// Time for which the batch that was unpacked last stays in memory.
const UNPACKED_RETENTION: Duration = Duration::from_secs(1);

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
}

impl UnpackedEvents {
    /// Keeps the events alone: steps may hold values of many megabytes.
    fn new(number: u64, mut batch: EntryBatch) -> Self {
        Self { number, scripts: std::mem::take(&mut batch.scripts), events: batch.into_events().collect() }
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
    let mut last = None;
    loop {
        let request = if last.is_some() {
            requests.recv_timeout(UNPACKED_RETENTION)
        } else {
            requests.recv().map_err(RecvTimeoutError::from)
        };
        let request = match request {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => {
                last = None;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        pulse.beat();
        let (script_id, from) = (request.script_id, request.from);
        let read = read(store, &request, &mut last).map_err(|error| error.to_string());
        drop(core.send(CoreMessage::ReadBack { script_id, from, read }));
        pulse.idle();
    }
}

/// Reads the events of a request. `last` is the batch that was unpacked last, which is often needed next.
fn read(store: &Store, request: &ReadBack, last: &mut Option<UnpackedEvents>) -> Result<Read> {
    let snapshot = store.snapshot(0)?;
    let (mut queued, mut bytes) = (Vec::new(), 0);
    let before = request.from.block.saturating_sub(1);
    for row in JOURNAL.scan_after(&snapshot, &Vec::new(), &before, Direction::Forward)? {
        let (number, packed) = row?;
        if number > request.through {
            break;
        }
        let unpacked = match last.take() {
            Some(known) if known.number == number => known,
            _ => UnpackedEvents::new(number, unpacked(Ok((number, packed)))?.1),
        };
        let block = last.insert(unpacked);
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
