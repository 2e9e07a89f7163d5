//! CPU watchdog: ends scripts that compute for too long.
//!
//! A ticker thread samples the workers' CPU clocks every millisecond and sets a flag, which the VM's
//! interrupt reads at each loop iteration and call. Reading a clock there instead would cost four times as
//! much.

use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(1);
/// The number of idle ticks after which the ticker goes to sleep.
const IDLE_TICKS_MAX: u32 = 200;

/// The error of a host function that stopped because the CPU budget is used up.
///
/// The run ends with the limit even if the script catches this error.
pub(crate) const STOPPED: &str = "the script's CPU budget is used up";

/// The state that a VM and the ticker share.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Odd while a step runs; changes with each step.
    step: AtomicU64,
    /// The id of the worker thread, for its CPU clock; 0 if unknown.
    thread: AtomicU32,
    budget_ms: AtomicU64,
    expired: AtomicBool,
}

impl Watch {
    /// Whether the CPU budget is used up.
    ///
    /// It stays set until the next step: the error must be raised again and again, or `pcall` would swallow it.
    pub(crate) fn is_expired(&self) -> bool {
        self.expired.load(Relaxed)
    }

    /// Makes the current step end at the next interrupt, for a reason that the caller has recorded.
    pub(crate) fn expire(&self) {
        self.expired.store(true, Relaxed);
    }
}

/// Watches the VMs of a daemon. Its thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct Ticker {
    inner: Arc<Inner>,
}

struct Inner {
    watches: Mutex<Vec<Weak<Watch>>>,
    asleep: AtomicBool,
    thread: Thread,
}

impl Ticker {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns an error if the operating system cannot create a thread.
    pub fn start() -> std::io::Result<Self> {
        let (sender, receiver) = std::sync::mpsc::channel::<Weak<Inner>>();
        let handle = std::thread::Builder::new().name("script-ticker".to_owned()).spawn(move || {
            if let Ok(inner) = receiver.recv() {
                tick(&inner);
            }
        })?;
        let inner = Arc::new(Inner {
            watches: Mutex::default(),
            asleep: AtomicBool::new(false),
            thread: handle.thread().clone(),
        });
        // The thread waits for this message, so it is still there.
        drop(sender.send(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    pub(crate) fn watch(&self, budget: Duration) -> Arc<Watch> {
        let watch = Arc::new(Watch::default());
        watch.budget_ms.store(u64::try_from(budget.as_millis()).unwrap_or(u64::MAX), Relaxed);
        self.inner.watches.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&watch));
        watch
    }

    /// Begins a step and resets the flag.
    pub(crate) fn arm<'w>(&self, watch: &'w Watch) -> Armed<'w> {
        if watch.thread.load(Relaxed) == 0 {
            let id = u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap_or(0);
            watch.thread.store(id, Relaxed);
        }
        watch.expired.store(false, Relaxed);
        watch.step.fetch_add(1, Release);
        if self.inner.asleep.load(Relaxed) && self.inner.asleep.swap(false, Relaxed) {
            self.inner.thread.unpark();
        }
        Armed(watch)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}

/// Ends the step when dropped. The flag stays set for the host to read.
pub(crate) struct Armed<'w>(&'w Watch);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.0.step.fetch_add(1, Release);
    }
}

/// The ticker's last observation of one watch.
struct Seen {
    step: u64,
    since: Instant,
    cpu: Option<Duration>,
}

fn tick(inner: &Weak<Inner>) {
    let mut seen: Vec<(Weak<Watch>, Seen)> = Vec::new();
    let mut idle = 0;
    loop {
        {
            let Some(inner) = inner.upgrade() else { return };
            for watch in inner.watches.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
                seen.push((watch, Seen { step: 0, since: Instant::now(), cpu: None }));
            }
            let mut busy = false;
            seen.retain_mut(|(watch, seen)| {
                let Some(watch) = watch.upgrade() else { return false };
                busy |= look(&watch, seen);
                true
            });
            idle = if busy { 0 } else { idle + 1 };
            if idle > IDLE_TICKS_MAX {
                inner.asleep.store(true, Relaxed);
            }
        }
        if idle > IDLE_TICKS_MAX {
            // Wakes up after a second in any case, in case a wake-up was missed while going to sleep.
            std::thread::park_timeout(Duration::from_secs(1));
            idle = 0;
        } else {
            std::thread::park_timeout(TICK);
        }
    }
}

/// Checks a watch and sets its flag if the CPU budget is used up. Returns whether a step is running.
fn look(watch: &Watch, seen: &mut Seen) -> bool {
    let step = watch.step.load(Acquire);
    if step.is_multiple_of(2) {
        return false;
    }
    if step != seen.step {
        *seen = Seen { step, since: Instant::now(), cpu: None };
        return true;
    }
    let cpu = cpu_time(watch.thread.load(Relaxed));
    let Some(start) = seen.cpu.filter(|_| cpu.is_some()).or(cpu) else {
        // Without a CPU clock, use the wall clock.
        if seen.since.elapsed() >= Duration::from_millis(watch.budget_ms.load(Relaxed)) {
            watch.expire();
        }
        return true;
    };
    seen.cpu = Some(start);
    let used = cpu.unwrap_or(start).saturating_sub(start);
    if used + TICK >= Duration::from_millis(watch.budget_ms.load(Relaxed)) && watch.step.load(Acquire) == step {
        watch.expire();
    }
    true
}

/// Returns the CPU time of one of our threads, as the scheduler counts it; `None` if unavailable.
///
/// It is the first field of `schedstat`, in nanoseconds; see `Documentation/scheduler/sched-stats.rst` of Linux.
fn cpu_time(thread: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
