//! A thread that runs scripts: hooks of one script one at a time, up to their next wait.
//!
//! The scripts of other workers run in parallel.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Release;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use palabre_platform::Pulse;
use palabre_state::WaitingRun;
use palabre_types::Reason;

use crate::context::RunnerContext;
use crate::instance::{ScriptInstance, Turn};
use crate::peers::Peers;
use crate::task::Task;

/// Events and time after which a run batch is handed over, so that commits overlap with execution.
const RUN_BATCH_EVENTS_MAX: usize = 512;
const RUN_BATCH_TIME_MAX: Duration = Duration::from_millis(2);

/// Interval of checks whether what a script has stored is durable.
const DURABLE_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Runs until it is stopped.
///
/// If the worker itself panics, and not a script in its VM, its scripts are lost, and are rebuilt.
pub(crate) fn run(index: usize, tasks: &Receiver<Task>, cx: &RunnerContext, pulse: &Pulse) {
    let running = Cell::new(None);
    // Barriers outlive a failure: their callers still wait.
    let mut barriers = Vec::new();
    while catch_unwind(AssertUnwindSafe(|| work(tasks, cx, pulse, &running, &mut barriers))).is_err() {
        cx.owner.worker_failed(index, running.take());
    }
}

/// Works until it is stopped. `running` is the script that runs at present.
fn work(
    tasks: &Receiver<Task>,
    cx: &RunnerContext,
    pulse: &Pulse,
    running: &Cell<Option<usize>>,
    barriers: &mut Vec<u64>,
) {
    let mut instances: BTreeMap<usize, ScriptInstance> = BTreeMap::new();
    let peers = Peers::default();
    // The least time used by a script with work to do: one that newly has work starts from there.
    let mut floor = Duration::ZERO;
    loop {
        let busy = instances.values().any(ScriptInstance::has_work);
        let task = if busy {
            tasks.try_recv().ok()
        } else {
            pulse.idle();
            // A script that waits for the disk is not notified, so it is polled.
            let next = if instances.values().any(ScriptInstance::is_throttled) {
                tasks.recv_timeout(DURABLE_POLL_INTERVAL)
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
                stop(&mut instances, cx);
                return;
            }
            match task {
                Task::Barrier(number) => barriers.push(number),
                task => take(&mut instances, &peers, task, cx),
            }
            next = tasks.try_recv().ok();
        }
        // Fair scheduling by time: the script with the least time used is next, so that a script
        // that computes for long delays the others by one of its events at most.
        let next = instances
            .values_mut()
            .filter(|instance| instance.has_work())
            .min_by_key(|instance| instance.spent.max(floor));
        if let Some(instance) = next {
            floor = floor.max(instance.spent);
            let began = Instant::now();
            running.set(Some(instance.index));
            instance.work(|done| done >= RUN_BATCH_EVENTS_MAX || (done > 0 && began.elapsed() >= RUN_BATCH_TIME_MAX));
            instance.spent = floor + began.elapsed();
            let index = instance.index;
            running.set(None);
            hand_over(&mut instances, index, cx);
        }
        if !instances.values().any(ScriptInstance::has_turns) {
            for number in barriers.drain(..) {
                cx.owner.reached_barrier(number);
            }
        }
    }
}

fn take(instances: &mut BTreeMap<usize, ScriptInstance>, peers: &Peers, task: Task, cx: &RunnerContext) {
    let mut on = |index: usize, act: &mut dyn FnMut(&mut ScriptInstance)| {
        if let Some(instance) = instances.get_mut(&index) {
            act(instance);
            hand_over(instances, index, cx);
        }
    };
    match task {
        Task::Adopt(spec) => {
            let index = spec.script_id;
            // Calls must not reach the VM of the instance before.
            peers.set(&spec.name, None);
            spec.asking.store(0, Release);
            spec.status.write(|status| status.waiting_runs = 0);
            instances.insert(index, ScriptInstance::new(*spec, cx.clone(), peers.clone()));
        }
        Task::Events { script_id, events } => {
            if let Some(instance) = instances.get_mut(&script_id) {
                instance.push(events);
            }
        }
        Task::Load { script_id, source, config, reason, reply } => {
            let Some(instance) = instances.get_mut(&script_id) else { return };
            let outcome = instance.load(*source, config, reason);
            let index = instance.index;
            if outcome.is_ok() {
                cx.owner.activated(instance.activation());
            }
            hand_over(instances, index, cx);
            // The caller may be gone; the outcome is logged in any case.
            drop(reply.send(outcome));
        }
        Task::Wake { script_id, run } => push_turn(instances, script_id, Turn::TimeUp { run }),
        Task::Answer { script_id, run, answer } => push_turn(instances, script_id, Turn::Answer { run, answer }),
        Task::Gate { script_id, event, reply } => push_turn(instances, script_id, Turn::Gate { event, reply }),
        Task::Interrupted { script_id, seq, run } => {
            on(script_id, &mut |instance| instance.interrupted(seq, WaitingRun::clone(&run)));
        }
        Task::Unload { script_id } => on(script_id, &mut |instance| {
            instance.unload(Reason::Stop);
            cx.owner.activated(instance.activation());
        }),
        Task::Edit { script_id, id, writes } => on(script_id, &mut |instance| instance.edit(id, &writes)),
        Task::Resume { script_id } => on(script_id, &mut ScriptInstance::resume),
        Task::WentBack(back) => instances.values_mut().for_each(|instance| instance.went_back(&back)),
        Task::Coverage { script_id, reply } => {
            let coverage = instances.get(&script_id).map(ScriptInstance::coverage).unwrap_or_default();
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
fn push_turn(instances: &mut BTreeMap<usize, ScriptInstance>, index: usize, turn: Turn) {
    if let Some(instance) = instances.get_mut(&index) {
        instance.push_turn(turn);
    }
}

fn stop(instances: &mut BTreeMap<usize, ScriptInstance>, cx: &RunnerContext) {
    let present: Vec<usize> = instances.keys().copied().collect();
    for index in present {
        if let Some(instance) = instances.get_mut(&index) {
            instance.unload(Reason::Stop);
        }
        hand_over(instances, index, cx);
    }
}

/// Hands over the run batches of a script, and of those whose functions its runs called.
///
/// All of them become durable together.
fn hand_over(instances: &mut BTreeMap<usize, ScriptInstance>, index: usize, cx: &RunnerContext) {
    let Some(instance) = instances.get_mut(&index) else { return };
    let calls = instance.take_calls();
    let mut run_batches = instance.take_run_batches();
    for call in calls {
        if let Some(called) = instances.values_mut().find(|instance| instance.name() == &call.script) {
            called.record_call(call);
            run_batches.extend(called.take_run_batches());
        }
    }
    if !run_batches.is_empty() {
        cx.owner.propose(run_batches);
    }
}
