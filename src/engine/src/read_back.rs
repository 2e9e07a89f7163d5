//! Reads events of a lagging script back from the journal, on a thread of its own.
//!
//! So a script that lags costs a cursor, not a queue.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use palabre_platform::{Pulse, Vitals};
use palabre_state::{BatchEvents, EntryPosition, JOURNAL, PackedBatch, damaged};
use palabre_store::{Direction, Result, Store};
use palabre_types::ScriptName;

use crate::backlog::{Cursor, Queued, Read, weight};
use crate::message::CoreMessage;

/// Time for which unpacked batches stay in memory after the last request.
const UNPACKED_RETENTION: Duration = Duration::from_secs(1);
/// Approximate maximum size of the unpacked batches in memory, in bytes; one stays in any case.
const UNPACKED_BYTES_MAX: usize = 16 << 20;

/// A request for events of a script.
pub(crate) struct ReadBack {
    pub(crate) script_id: usize,
    pub(crate) script: ScriptName,
    pub(crate) from: Cursor,
    /// The last batch that is durable.
    pub(crate) through: u64,
    /// Maximum number of events; and of their bytes, which the last one may exceed.
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Batches that were decompressed lately, and the positions at which scripts continue in them.
#[derive(Default)]
struct Unpacked {
    /// The batches with their numbers; the one used last is at the end.
    batches: Vec<(u64, Arc<BatchEvents>)>,
    /// The next event of each script, by its id.
    positions: HashMap<usize, (Cursor, EntryPosition)>,
}

impl Unpacked {
    /// Returns a batch, decompressed if it is not in memory.
    fn batch(&mut self, number: u64, packed: &PackedBatch) -> Result<Arc<BatchEvents>> {
        let entry = match self.batches.iter().position(|(known, _)| *known == number) {
            Some(position) => self.batches.remove(position),
            None => (number, Arc::new(BatchEvents::unpack(packed).map_err(|cause| damaged(number, cause))?)),
        };
        let batch = Arc::clone(&entry.1);
        self.batches.push(entry);
        let bytes = |batches: &[(u64, Arc<BatchEvents>)]| batches.iter().map(|(_, batch)| batch.bytes()).sum::<usize>();
        while self.batches.len() > 1 && bytes(&self.batches) > UNPACKED_BYTES_MAX {
            self.batches.remove(0);
        }
        Ok(batch)
    }

    /// Returns the position of a script's next event, or the beginning of the batch.
    fn position(&self, request: &ReadBack, number: u64, batch: &BatchEvents) -> EntryPosition {
        let known = self.positions.get(&request.script_id).filter(|(cursor, _)| *cursor == request.from);
        known.filter(|(cursor, _)| cursor.block == number).map_or_else(|| batch.first(), |(_, position)| *position)
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
    let mut unpacked = Unpacked::default();
    loop {
        let request = if unpacked.batches.is_empty() {
            requests.recv().map_err(RecvTimeoutError::from)
        } else {
            requests.recv_timeout(UNPACKED_RETENTION)
        };
        let request = match request {
            Ok(request) => request,
            Err(RecvTimeoutError::Timeout) => {
                unpacked = Unpacked::default();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        pulse.beat();
        let (script_id, from) = (request.script_id, request.from);
        let read = read(store, &request, &mut unpacked).map_err(|error| error.to_string());
        drop(core.send(CoreMessage::ReadBack { script_id, from, read }));
        pulse.idle();
    }
}

/// Reads the events of a request.
fn read(store: &Store, request: &ReadBack, unpacked: &mut Unpacked) -> Result<Read> {
    let snapshot = store.snapshot(0)?;
    let (mut queued, mut bytes) = (Vec::new(), 0);
    let before = request.from.block.saturating_sub(1);
    for row in JOURNAL.scan_after(&snapshot, &Vec::new(), &before, Direction::Forward)? {
        let (number, packed) = row?;
        if number > request.through {
            break;
        }
        let batch = unpacked.batch(number, &packed)?;
        let damaged = |cause| damaged(number, cause);
        let targeted: Vec<bool> = batch.scripts().iter().map(|script| script.name == request.script).collect();
        let mut at = unpacked.position(request, number, &batch);
        while let Some(packed) = batch.next_event(at).map_err(damaged)? {
            at = packed.next;
            let is_for_it = packed.targets.iter().any(|target| targeted.get(usize::from(*target)) == Some(&true));
            if !is_for_it || (number == request.from.block && packed.seq < request.from.seq) {
                continue;
            }
            if !queued.is_empty() && (queued.len() >= request.events || bytes >= request.bytes) {
                let next = Cursor { block: number, seq: packed.seq };
                unpacked.positions.insert(request.script_id, (next, packed.at));
                return Ok((queued, next));
            }
            let event = packed.decode().map_err(damaged)?;
            let weight = weight(&event);
            bytes += weight;
            queued.push(Queued { seq: packed.seq, block: number, bytes: weight, event });
        }
    }
    unpacked.positions.remove(&request.script_id);
    Ok((queued, Cursor { block: request.through + 1, seq: 0 }))
}
