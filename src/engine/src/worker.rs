//! A thread that runs scripts: hooks of one script one at a time, up to their next wait.
//!
//! The scripts of other workers run in parallel.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use palabre_model::{Event, Reason, Verdict};
use palabre_script::{Answer, Coverage, Failure, Source};
use tokio::sync::oneshot;

use crate::clock_watch::WentBack;
use crate::neighbours::Neighbours;
use crate::sequencer::CoreMessage;
use crate::slot::{Slot, Turn};
use crate::tables::WaitingRun;
use crate::vitals::Pulse;

/// Events and time after which a run batch is handed over, so that commits overlap with execution.
const RUN_BATCH_EVENTS_MAX: usize = 512;
const RUN_BATCH_TIME_MAX: Duration = Duration::from_millis(2);

/// Interval of checks whether what a script has stored is durable.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A task for a worker.
pub(crate) enum Task {
    /// Adopt a script. It is created here, because its VM may not leave this thread.
    Adopt(Box<dyn FnOnce(&Neighbours) -> Slot + Send>),
    Events {
        slot: usize,
        events: Vec<(u64, Arc<Event>)>,
    },
    Load {
        slot: usize,
        source: Box<Source>,
        /// The new value of `config`; `None` keeps the present one.
        config: Option<serde_json::Value>,
        reason: Reason,
        reply: oneshot::Sender<Result<Vec<String>, Failure>>,
    },
    Wake {
        slot: usize,
        seq: u64,
        part: u32,
    },
    Interrupted {
        slot: usize,
        seq: u64,
        run: Box<WaitingRun>,
    },
    Resume {
        slot: usize,
    },
    /// The answer that a run waits for.
    Answer {
        slot: usize,
        seq: u64,
        part: u32,
        answer: Answer,
    },
    /// Report when this is reached.
    Barrier(u64),
    /// The clock went back, and the store has been corrected.
    WentBack(WentBack),
    /// Return the lines of a script that have run, and how often.
    Coverage {
        slot: usize,
        reply: oneshot::Sender<Coverage>,
    },
    /// A message is about to be delivered.
    Gate {
        slot: usize,
        event: Box<Event>,
        reply: oneshot::Sender<Verdict>,
    },
    /// The script's files are gone.
    Unload {
        slot: usize,
    },
    /// Unload every script, hand over what there is, and end.
    Stop,
}

/// Runs until it is stopped.
///
/// If the worker itself panics, and not a script in its VM, its scripts are lost, and are rebuilt.
pub(crate) fn run(index: usize, tasks: &Receiver<Task>, core: &Sender<CoreMessage>, pulse: &Pulse) {
    // Barriers outlive a failure: their callers still wait.
    let mut barriers = Vec::new();
    while catch_unwind(AssertUnwindSafe(|| work(tasks, core, pulse, &mut barriers))).is_err() {
        send(core, CoreMessage::WorkerFailed { worker: index, running: pulse.running() });
        pulse.runs(None);
    }
}

fn work(tasks: &Receiver<Task>, core: &Sender<CoreMessage>, pulse: &Pulse, barriers: &mut Vec<u64>) {
    let mut slots: BTreeMap<usize, Slot> = BTreeMap::new();
    let neighbours = Neighbours::default();
    // The least time used by a script with work to do: one that newly has work starts from there.
    let mut floor = Duration::ZERO;
    loop {
        let busy = slots.values().any(Slot::has_work);
        let task = if busy {
            tasks.try_recv().ok()
        } else {
            pulse.rest();
            // A script that waits for the disk is not notified, so it is polled.
            let next = if slots.values().any(Slot::is_throttled) {
                tasks.recv_timeout(LOOK_AGAIN)
            } else {
                tasks.recv().map_err(RecvTimeoutError::from)
            };
            match next {
                Ok(task) => Some(task),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        };
        pulse.beat();
        let mut next = task;
        // All tasks first, then the scripts: a long queue of messages must not be worked off one by
        // one.
        while let Some(task) = next {
            if matches!(task, Task::Stop) {
                stop(&mut slots, core);
                return;
            }
            match task {
                Task::Barrier(number) => barriers.push(number),
                task => take(&mut slots, &neighbours, task, core),
            }
            next = tasks.try_recv().ok();
        }
        // Fair scheduling by time: the script with the least time used is next, so that a script
        // that computes for long delays the others by one of its events at most.
        let next = slots.values_mut().filter(|slot| slot.has_work()).min_by_key(|slot| slot.spent.max(floor));
        if let Some(slot) = next {
            floor = floor.max(slot.spent);
            let began = Instant::now();
            pulse.runs(Some(slot.index));
            slot.work(|done| done >= RUN_BATCH_EVENTS_MAX || (done > 0 && began.elapsed() >= RUN_BATCH_TIME_MAX));
            slot.spent = floor + began.elapsed();
            let index = slot.index;
            pulse.runs(None);
            give_back(&mut slots, index, core);
        }
        if !slots.values().any(Slot::has_turns) {
            for number in barriers.drain(..) {
                send(core, CoreMessage::Barrier(number));
            }
        }
    }
}

fn take(slots: &mut BTreeMap<usize, Slot>, neighbours: &Neighbours, task: Task, core: &Sender<CoreMessage>) {
    let mut on = |index: usize, act: &mut dyn FnMut(&mut Slot)| {
        if let Some(slot) = slots.get_mut(&index) {
            act(slot);
            give_back(slots, index, core);
        }
    };
    match task {
        Task::Adopt(make) => {
            let slot = make(neighbours);
            slots.insert(slot.index, slot);
        }
        Task::Events { slot, events } => {
            if let Some(slot) = slots.get_mut(&slot) {
                slot.push(events);
            }
        }
        Task::Load { slot, source, config, reason, reply } => {
            let Some(slot) = slots.get_mut(&slot) else { return };
            let outcome = slot.load(*source, config, reason);
            let index = slot.index;
            if outcome.is_ok() {
                send(core, slot.takes_over());
            }
            give_back(slots, index, core);
            // The caller may be gone; the outcome is logged in any case.
            drop(reply.send(outcome));
        }
        Task::Wake { slot, seq, part } => next_is(slots, slot, Turn::TimeUp { seq, part }),
        Task::Answer { slot, seq, part, answer } => next_is(slots, slot, Turn::Answer { seq, part, answer }),
        Task::Gate { slot, event, reply } => next_is(slots, slot, Turn::Gate { event, reply }),
        Task::Interrupted { slot, seq, run } => {
            on(slot, &mut |slot| slot.interrupted(seq, WaitingRun::clone(&run)));
        }
        Task::Unload { slot } => on(slot, &mut |slot| {
            slot.unload(Reason::Stop);
            send(core, slot.takes_over());
        }),
        Task::Resume { slot } => on(slot, &mut Slot::resume),
        Task::WentBack(back) => slots.values_mut().for_each(|slot| slot.went_back(&back)),
        Task::Coverage { slot, reply } => {
            let coverage = slots.get(&slot).map(Slot::coverage).unwrap_or_default();
            // The caller may be gone.
            drop(reply.send(coverage));
        }
        // Handled by the loop.
        Task::Barrier(_) | Task::Stop => {}
    }
}

/// Adds work that a script does before its next event.
///
/// If the script is gone, the reply is dropped: a caller that waits for a verdict gets none, and
/// the message passes.
fn next_is(slots: &mut BTreeMap<usize, Slot>, index: usize, turn: Turn) {
    if let Some(slot) = slots.get_mut(&index) {
        slot.next_is(turn);
    }
}

fn stop(slots: &mut BTreeMap<usize, Slot>, core: &Sender<CoreMessage>) {
    let present: Vec<usize> = slots.keys().copied().collect();
    for index in present {
        if let Some(slot) = slots.get_mut(&index) {
            slot.unload(Reason::Stop);
        }
        give_back(slots, index, core);
    }
}

/// Hands over the run batches of a script, and of those whose functions its runs called.
///
/// All of them become durable together.
fn give_back(slots: &mut BTreeMap<usize, Slot>, index: usize, core: &Sender<CoreMessage>) {
    let Some(slot) = slots.get_mut(&index) else { return };
    let calls = slot.take_calls();
    let mut run_batches = slot.take_run_batches();
    for call in calls {
        if let Some(called) = slots.values_mut().find(|slot| slot.name() == &call.script) {
            called.record_call(call);
            run_batches.extend(called.take_run_batches());
        }
    }
    if !run_batches.is_empty() {
        send(core, CoreMessage::RunBatches(run_batches));
    }
}

fn send(core: &Sender<CoreMessage>, message: CoreMessage) {
    // The sequencer outlives the workers, unless it panics, which is logged there.
    drop(core.send(message));
}
