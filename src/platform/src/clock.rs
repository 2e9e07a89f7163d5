//! The clock: the only module that reads the wall clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use palabre_types::Millis;
use tokio::sync::watch;

/// A source of the current time that can also be waited on.
///
/// Others may set the clock forward or back. Code that stores times has to cope with that.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time, UTC.
    fn now(&self) -> Millis;

    /// Returns once the clock shows `at` or later.
    ///
    /// If the clock is set back meanwhile, it returns when the time that was left at first has
    /// passed.
    async fn sleep_until(&self, at: Millis);
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the clock module")]
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(Millis::MAX)
    }

    async fn sleep_until(&self, at: Millis) {
        let began = tokio::time::Instant::now();
        let whole = at.saturating_sub(self.now());
        // Sleeps for a minute at most, to notice a clock that is set forward. Setting it back does
        // not lengthen the sleep.
        loop {
            let passed = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let left = at.saturating_sub(self.now()).min(whole.saturating_sub(passed));
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(left.min(60_000))).await;
        }
    }
}

/// A clock for tests, which only moves when it is advanced or set.
#[derive(Debug, Clone)]
pub struct VirtualClock(Arc<watch::Sender<Millis>>);

impl VirtualClock {
    /// Creates a clock that shows `start`.
    #[must_use]
    pub fn new(start: Millis) -> Self {
        Self(Arc::new(watch::Sender::new(start)))
    }

    /// Advances the clock, and wakes those who sleep until a time that is then reached.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(Millis::MAX);
        self.0.send_modify(|now| *now = now.saturating_add(by));
    }

    /// Sets the clock to `time`, also backwards.
    pub fn set(&self, time: Millis) {
        self.0.send_replace(time);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Millis {
        *self.0.borrow()
    }

    async fn sleep_until(&self, at: Millis) {
        let mut changes = self.0.subscribe();
        let mut seen = *changes.borrow_and_update();
        let mut at = at;
        while seen < at {
            // The sender lives in self, so the wait cannot fail.
            if changes.changed().await.is_err() {
                return;
            }
            let now = *changes.borrow_and_update();
            if now < seen {
                at = now.saturating_add(at - seen);
            }
            seen = now;
        }
    }
}
