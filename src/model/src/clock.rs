//! The one place that reads the wall clock.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Millis;

/// Where time comes from, and how to wait for it. It may be set forward and back by others; whoever keeps a time over that has to
/// cope with it.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Now, UTC.
    fn now(&self) -> Millis;

    /// Returns once it is `at` or later. Should the clock be set back meanwhile, it returns when as much time has passed as was left at first.
    async fn sleep_until(&self, at: Millis);
}

/// The machine's own clock.
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
        // In steps of a minute at most, so that a clock that is set forward is noticed. One that is set back adds nothing.
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

/// A clock that stands still until it is told to go on.
#[derive(Debug, Clone)]
pub struct VirtualClock(Arc<watch::Sender<Millis>>);

impl VirtualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Millis) -> Self {
        Self(Arc::new(watch::Sender::new(start)))
    }

    /// Moves on; whoever sleeps until then wakes.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(Millis::MAX);
        self.0.send_modify(|now| *now = now.saturating_add(by));
    }

    /// Is set to `time`, as a clock is that was wrong.
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

/// `2026-11-20T17:14:55.123Z`. Times past the year 9999 are written as its end.
#[must_use]
pub fn iso8601(time: Millis) -> String {
    let timestamp = i64::try_from(time)
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .unwrap_or(jiff::Timestamp::MAX);
    timestamp.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
