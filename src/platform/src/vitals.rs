//! Health of the threads that everything depends on, and the end of the process if one dies.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

/// Stack of a thread in bytes: recursion of a script through the host takes up to 200 frames of C.
const STACK_BYTES: usize = 8 << 20;

/// A reason why the daemon cannot continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fatal {
    /// A thread that everything depends on has died.
    Thread(String),
    /// The store is damaged.
    Store(String),
}

/// One thread that everything depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThreadStatus {
    /// Its name, as the operating system shows it.
    pub name: String,
    /// Whether it runs. A dead one stays dead until the process is restarted.
    pub alive: bool,
    /// Time for which it has been busy with one thing, in milliseconds; 0 while it waits for work.
    pub beat_age_ms: u64,
}

/// All threads, and the reason that ends the process.
pub struct Vitals {
    began: Instant,
    threads: Mutex<Vec<Arc<Pulse>>>,
    fatal: watch::Sender<Option<Fatal>>,
}

/// The state that one thread publishes.
#[derive(Debug)]
pub struct Pulse {
    name: String,
    is_dead: AtomicBool,
    began: Instant,
    /// Start of the current work, in milliseconds since the start, plus one; 0 while it waits.
    busy_since: AtomicU64,
}

impl Pulse {
    /// Records that the thread waits for work.
    pub fn idle(&self) {
        self.busy_since.store(0, Relaxed);
    }

    /// Records that the thread has work, or has made progress.
    pub fn beat(&self) {
        self.busy_since.store(self.now() + 1, Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn status(&self) -> ThreadStatus {
        let busy_since = self.busy_since.load(Relaxed);
        let beat_age_ms = if busy_since == 0 { 0 } else { self.now().saturating_sub(busy_since - 1) };
        ThreadStatus { name: self.name.clone(), alive: !self.is_dead.load(Relaxed), beat_age_ms }
    }
}

impl Default for Vitals {
    fn default() -> Self {
        Self { began: Instant::now(), threads: Mutex::default(), fatal: watch::Sender::default() }
    }
}

impl Vitals {
    /// Starts a thread that everything depends on: if it panics, the daemon ends.
    ///
    /// # Errors
    /// If the operating system does not start it.
    pub fn spawn(
        self: &Arc<Self>,
        name: &str,
        run: impl FnOnce(&Pulse) + Send + 'static,
    ) -> std::io::Result<JoinHandle<()>> {
        let began = self.began;
        let pulse =
            Pulse { name: name.to_owned(), is_dead: AtomicBool::new(false), began, busy_since: AtomicU64::new(0) };
        let pulse = Arc::new(pulse);
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&pulse));
        let vitals = Arc::clone(self);
        let builder = std::thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
        builder.spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| run(&pulse))).is_err() {
                pulse.is_dead.store(true, Relaxed);
                vitals.end(Fatal::Thread(pulse.name.clone()));
            }
            pulse.idle();
        })
    }

    /// Ends the daemon. The first reason counts.
    pub fn end(&self, fatal: Fatal) {
        self.fatal.send_if_modified(|known| {
            let is_news = known.is_none();
            known.get_or_insert(fatal);
            is_news
        });
    }

    /// Returns a receiver for the reason that ends the daemon.
    #[must_use]
    pub fn fatal(&self) -> watch::Receiver<Option<Fatal>> {
        self.fatal.subscribe()
    }

    /// Returns the state of each thread, in the order of their starts.
    #[must_use]
    pub fn threads(&self) -> Vec<ThreadStatus> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|pulse| pulse.status()).collect()
    }
}
