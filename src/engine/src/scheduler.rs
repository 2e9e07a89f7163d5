//! Wakes others at given times: one task over an ordered agenda.
//!
//! A request that is repeated or cancelled leaves the agenda at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

use palabre_platform::Clock;
use palabre_state::{STEP_BACK_TOLERANCE, WentBack};
use palabre_types::{Millis, RunId, ScriptName};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Something that is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Due {
    /// The end of the wait with which a step ended.
    Wake { script_id: usize, run: RunId },
    /// Another attempt of a script that is suspended, or that could not read the store.
    Resume { script_id: usize },
    /// A script's timer.
    Timer { script: ScriptName, key: String },
    /// A script's task; of those due at the same time, the lower rank comes first.
    Task { rank: i32, script: ScriptName, task: String, due: Millis, attempt: u32, is_new: bool },
    /// The end of the time in which a script's worker has to apply an edit.
    Edit(u64),
    /// The removal of expired rows and old entry batches.
    Housekeeping,
    /// A barrier: everything that was due before it has been passed on. The last of its time.
    Barrier(u64),
}

impl Due {
    /// Returns the identity: of requests with the same one, only the last counts.
    fn identity(&self) -> Self {
        match self {
            Self::Wake { script_id, run } => Self::Wake { script_id: *script_id, run: RunId::hook(run.seq, 0) },
            Self::Task { script, task, is_new: true, .. } => {
                let (script, task) = (script.clone(), task.clone());
                Self::Task { rank: 0, script, task, due: 0, attempt: 0, is_new: true }
            }
            other => other.clone(),
        }
    }
}

/// A message to the scheduler.
enum Asked {
    /// The due time, the time of the request, and what is due.
    At(Millis, Millis, Due),
    Cancel(Due),
    WentBack(WentBack),
}

/// A handle for requesting wake-ups.
#[derive(Clone)]
pub(crate) struct Scheduler {
    clock: Arc<dyn Clock>,
    asked: UnboundedSender<Asked>,
    next: Arc<AtomicU64>,
}

/// The receiving end, for [`run`].
pub(crate) struct Requests {
    queue: UnboundedReceiver<Asked>,
    next: Arc<AtomicU64>,
}

impl Scheduler {
    /// Creates the handle, and the receiving end for [`run`].
    pub(crate) fn new(clock: Arc<dyn Clock>) -> (Self, Requests) {
        let (sender, queue) = unbounded_channel();
        let next = Arc::new(AtomicU64::new(Millis::MAX));
        (Self { clock, asked: sender, next: Arc::clone(&next) }, Requests { queue, next })
    }

    /// Returns the next due time, as far as it is known.
    pub(crate) fn next(&self) -> Millis {
        self.next.load(Acquire)
    }

    /// Requests a wake-up at `time`, in place of any earlier request with the same identity.
    pub(crate) fn at(&self, time: Millis, due: Due) {
        // The scheduler ends with the engine; the next start finds again what was due then.
        drop(self.asked.send(Asked::At(time, self.clock.now(), due)));
    }

    /// Cancels a wake-up.
    pub(crate) fn cancel(&self, due: Due) {
        drop(self.asked.send(Asked::Cancel(due)));
    }

    /// Corrects requests made while the clock was ahead: they are due after their remaining time.
    pub(crate) fn went_back(&self, back: WentBack) {
        drop(self.asked.send(Asked::WentBack(back)));
    }
}

/// Runs until every handle is dropped.
pub(crate) async fn run(clock: Arc<dyn Clock>, mut requests: Requests, wake: impl Fn(Due, Millis) + Send) {
    let mut agenda = Agenda::default();
    loop {
        let next = agenda.first();
        requests.next.store(agenda.next_noticeable(), Release);
        tokio::select! {
            asked = requests.queue.recv() => match asked {
                Some(Asked::At(time, asked, due)) => agenda.put_at(time, asked, due, clock.now()),
                Some(Asked::Cancel(due)) => agenda.remove(&due.identity()),
                Some(Asked::WentBack(back)) => agenda.went_back(&back),
                None => return,
            },
            () = clock.sleep_until(next.unwrap_or(Millis::MAX)), if next.is_some() => {
                while let Some((time, due)) = agenda.take_due(clock.now()) {
                    // Once is enough, however much time has passed.
                    let time = if due == Due::Housekeeping { clock.now() } else { time };
                    wake(due, time);
                }
            }
        }
    }
}

/// All requests in order of their due times, each identity once.
#[derive(Debug, Default)]
struct Agenda {
    /// The requests, each with the time when it was made.
    entries: BTreeMap<(Millis, Due), Millis>,
    /// The key of each request, by identity.
    places: HashMap<Due, (Millis, Due)>,
}

impl Agenda {
    fn first(&self) -> Option<Millis> {
        self.entries.first_key_value().map(|((time, _), _)| *time)
    }

    /// Returns the next due time that anybody could notice: housekeeping does not count.
    fn next_noticeable(&self) -> Millis {
        let mut entries = self.entries.keys().filter(|(_, due)| *due != Due::Housekeeping);
        entries.next().map_or(Millis::MAX, |(time, _)| *time)
    }

    /// Adds a request that was made at `asked`, and corrects it if the clock has gone back since.
    fn put_at(&mut self, time: Millis, asked: Millis, due: Due, now: Millis) {
        if asked > now.saturating_add(STEP_BACK_TOLERANCE) {
            self.put(now.saturating_add(time.saturating_sub(asked)), due, now);
        } else {
            self.put(time, due, asked);
        }
    }

    fn put(&mut self, time: Millis, due: Due, now: Millis) {
        let place = (time, due);
        if let Some(before) = self.places.insert(place.1.identity(), place.clone()) {
            self.entries.remove(&before);
        }
        self.entries.insert(place, now);
    }

    fn remove(&mut self, identity: &Due) {
        if let Some(place) = self.places.remove(identity) {
            self.entries.remove(&place);
        }
    }

    fn take_due(&mut self, now: Millis) -> Option<(Millis, Due)> {
        let first = self.entries.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (place, _) = first.remove_entry();
        self.places.remove(&place.1.identity());
        Some(place)
    }

    fn went_back(&mut self, back: &WentBack) {
        let ahead = self.entries.iter().filter(|(_, asked)| **asked > back.now);
        let moved = ahead.map(|((time, due), asked)| (back.now + time.saturating_sub(*asked), due.clone()));
        let moved: Vec<_> = moved.collect();
        for (time, due) in moved {
            self.put(time, due, back.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_arrives_after_the_clock_went_back_keeps_its_duration() {
        let mut agenda = Agenda::default();
        agenda.put_at(10_000_000 + 30_000, 10_000_000, timer("late"), 5_000);
        agenda.put_at(5_000 + 30_000, 5_010, timer("usual"), 5_000);
        assert_eq!(drained(&mut agenda), [(35_000, timer("late")), (35_000, timer("usual"))]);
    }

    fn timer(key: &str) -> Due {
        Due::Timer { script: "s".into(), key: key.to_owned() }
    }

    fn drained(agenda: &mut Agenda) -> Vec<(Millis, Due)> {
        std::iter::from_fn(|| agenda.take_due(Millis::MAX)).collect()
    }

    #[test]
    fn a_timer_that_is_set_a_million_times_is_there_once() {
        let mut agenda = Agenda::default();
        for n in 0..1_000_000 {
            agenda.put(n, timer("one"), 0);
        }
        assert_eq!((agenda.entries.len(), agenda.places.len()), (1, 1));
        assert_eq!(drained(&mut agenda), [(999_999, timer("one"))]);
        assert_eq!((agenda.entries.len(), agenda.places.len()), (0, 0));
    }

    #[test]
    fn what_is_cancelled_leaves_and_what_is_like_it_stays() {
        let mut agenda = Agenda::default();
        let wake = |seq, step| Due::Wake { script_id: 1, run: RunId::hook(seq, step) };
        for due in [timer("a"), timer("b"), wake(7, 0), wake(8, 0), Due::Housekeeping, Due::Resume { script_id: 1 }] {
            agenda.put(10, due, 0);
        }
        agenda.remove(&timer("a").identity());
        agenda.remove(&wake(7, 3).identity());
        agenda.remove(&timer("unknown").identity());
        let left = [wake(8, 0), Due::Resume { script_id: 1 }, timer("b"), Due::Housekeeping];
        assert_eq!(drained(&mut agenda), left.map(|due| (10, due)));
    }

    #[test]
    fn what_is_due_at_once_comes_by_rank_and_a_task_that_is_planned_anew_is_due_once() {
        let mut agenda = Agenda::default();
        let task = |name: &str, rank, due| Due::Task {
            rank,
            script: "s".into(),
            task: name.to_owned(),
            due,
            attempt: 1,
            is_new: true,
        };
        agenda.put(50, task("a", 5, 50), 0);
        agenda.put(90, task("b", 0, 90), 0);
        agenda.put(50, task("b", 1, 50), 0);
        assert_eq!(drained(&mut agenda), [(50, task("b", 1, 50)), (50, task("a", 5, 50))]);
    }

    #[test]
    fn what_was_asked_for_in_a_time_that_never_was_keeps_what_was_left_of_it() {
        let mut agenda = Agenda::default();
        agenda.put(5_000, timer("before"), 1_000);
        agenda.put(1_000_500, timer("ahead"), 1_000_000);
        agenda.went_back(&WentBack { now: 2_000, last: 1_000_100, from: 1_000_000 });
        assert_eq!(drained(&mut agenda), [(2_500, timer("ahead")), (5_000, timer("before"))]);
    }
}
