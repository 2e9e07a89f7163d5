//! Wakes others at a time: one task over a heap of what is due.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

use palabre_model::{Clock, Millis, ScriptName};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A run's wait is over.
    Wake { slot: usize, seq: u64, part: u32 },
    /// A suspended script may try again.
    Resume { slot: usize },
    /// A script's timer.
    Timer { script: ScriptName, key: String },
    /// A script's task; of those due at the same time, the lower rank first.
    Task { rank: i32, script: ScriptName, task: String, due: Millis, attempt: u32, is_new: bool },
    /// Expired rows and old blocks are to be removed.
    Housekeeping,
    /// Everything that was due before this is handed on. The last of its time.
    Barrier(u64),
}

/// Where to ask for a wake-up.
#[derive(Clone)]
pub(crate) struct Scheduler {
    asked: UnboundedSender<(Millis, Due)>,
    next: Arc<AtomicU64>,
}

/// The other end, for [`run`].
pub(crate) struct Asked {
    queue: UnboundedReceiver<(Millis, Due)>,
    next: Arc<AtomicU64>,
}

impl Scheduler {
    /// The handle, and the queue for [`run`].
    pub(crate) fn new() -> (Self, Asked) {
        let (sender, queue) = unbounded_channel();
        let next = Arc::new(AtomicU64::new(Millis::MAX));
        (Self { asked: sender, next: Arc::clone(&next) }, Asked { queue, next })
    }

    /// When the next thing is due, as far as is known.
    pub(crate) fn next(&self) -> Millis {
        self.next.load(Acquire)
    }

    pub(crate) fn at(&self, time: Millis, due: Due) {
        // The scheduler ends with the engine; what was due then is found again at the next start.
        drop(self.asked.send((time, due)));
    }
}

/// Runs until every handle is gone.
pub(crate) async fn run(clock: Arc<dyn Clock>, mut asked: Asked, wake: impl Fn(Due, Millis) + Send) {
    let mut heap = BinaryHeap::new();
    loop {
        let next = heap.peek().map(|Reverse((time, _)): &Reverse<(Millis, Due)>| *time);
        asked.next.store(next_of(&heap), Release);
        tokio::select! {
            more = asked.queue.recv() => match more {
                Some(more) => heap.push(Reverse(more)),
                None => return,
            },
            () = clock.sleep_until(next.unwrap_or(Millis::MAX)), if next.is_some() => {
                while let Some(Reverse((time, _))) = heap.peek()
                    && *time <= clock.now()
                    && let Some(Reverse((time, due))) = heap.pop()
                {
                    // Once is enough, however long nobody looked.
                    let time = if due == Due::Housekeeping { clock.now() } else { time };
                    wake(due, time);
                }
            }
        }
    }
}

/// When the next thing is due that somebody could notice: housekeeping does not count.
fn next_of(heap: &BinaryHeap<Reverse<(Millis, Due)>>) -> Millis {
    match heap.peek() {
        Some(Reverse((_, Due::Housekeeping))) => {
            let others = heap.iter().filter(|Reverse((_, due))| *due != Due::Housekeeping);
            others.map(|Reverse((time, _))| *time).min().unwrap_or(Millis::MAX)
        }
        Some(Reverse((time, _))) => *time,
        None => Millis::MAX,
    }
}
