//! The parts of which the rate limits of all platforms are made.

use std::time::Duration;

use tokio::time::Instant;

/// Calls that were in flight when a 429 was answered are not counted as violations.
const GRACE: Duration = Duration::from_millis(100);

/// A number of calls or messages in a time.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The number of calls or messages.
    pub count: u32,
    /// The length of the window.
    pub per: Duration,
}

impl Limit {
    /// No limit.
    pub(crate) const NONE: Self = Self::new(u32::MAX, 1);

    /// A number in a number of milliseconds.
    #[must_use]
    pub const fn new(count: u32, millis: u64) -> Self {
        Self { count, per: Duration::from_millis(millis) }
    }

    /// The same number in a time changed by a factor.
    pub(crate) fn scaled(self, scale: f64) -> Self {
        Self { per: self.per.mul_f64(scale), ..self }
    }
}

/// The period in which a 429 forbids calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forbidden {
    from: Instant,
    until: Instant,
}

impl Forbidden {
    /// Forbids calls for a time, except those that are in flight.
    pub(crate) fn new(now: Instant, wait: Duration) -> Self {
        Self { from: now + GRACE, until: now + wait }
    }

    /// Returns the end of the period if calls are forbidden at `now`.
    pub(crate) fn until(self, now: Instant) -> Option<Instant> {
        (self.from..self.until).contains(&now).then_some(self.until)
    }
}
