//! Retry with back-off: growing delays between attempts, and the loop around a single request.
//!
//! It is not built on backon: several callers need the delay after a number of failures that they
//! keep themselves, jitter has to come from [`Entropy`], and the loop is short. See docs/adr/0030.

use std::ops::Range;
use std::time::Duration;

use palabre_types::Millis;

use crate::entropy::Entropy;

/// The delays between attempts: each is twice the one before, up to a maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    max: Duration,
}

/// The delays of one series of attempts, which counts the failed ones.
#[derive(Debug, Clone)]
pub struct Delays {
    backoff: Backoff,
    failed: u32,
}

/// The consequence of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The error is final.
    Never,
    /// Another attempt after the delay of the back-off.
    WithBackoff,
    /// Another attempt after the delay that the other side asks for.
    After(Duration),
}

impl Backoff {
    /// Creates a back-off from its first and its longest delay.
    #[must_use]
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max }
    }

    /// Returns the delay after `failed` failed attempts in a row; after none, it is zero.
    #[must_use]
    pub fn delay(self, failed: u32) -> Duration {
        let Some(doublings) = failed.checked_sub(1) else { return Duration::ZERO };
        2_u32.checked_pow(doublings).map_or(self.max, |factor| self.first.saturating_mul(factor).min(self.max))
    }

    /// Same as [`Backoff::delay`], in milliseconds.
    #[must_use]
    pub fn delay_millis(self, failed: u32) -> Millis {
        Millis::try_from(self.delay(failed).as_millis()).unwrap_or(Millis::MAX)
    }

    /// Returns the delays of a series of attempts that begins now.
    #[must_use]
    pub const fn delays(self) -> Delays {
        Delays { backoff: self, failed: 0 }
    }

    /// Tries until an attempt succeeds, an error is final, or `attempts_max` attempts have failed.
    ///
    /// `judge` decides about each error. A delay that the other side asks for takes precedence over
    /// that of the back-off, which grows all the same. At shutdown, the caller drops the future.
    ///
    /// # Errors
    /// Returns the error of the last attempt.
    pub async fn retry<T, E, F>(
        self,
        attempts_max: u32,
        mut judge: impl FnMut(&E) -> Retry,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut failed = 0;
        loop {
            let wait = match attempt().await {
                Ok(done) => return Ok(done),
                Err(error) => {
                    failed += 1;
                    match judge(&error) {
                        Retry::WithBackoff if failed < attempts_max => self.delay(failed),
                        Retry::After(asked) if failed < attempts_max => asked,
                        Retry::Never | Retry::WithBackoff | Retry::After(_) => return Err(error),
                    }
                }
            };
            tokio::time::sleep(wait).await;
        }
    }
}

impl Delays {
    /// Counts a failed attempt, and returns the delay before the next one.
    pub fn next_delay(&mut self) -> Duration {
        self.failed = self.failed.saturating_add(1);
        self.backoff.delay(self.failed)
    }

    /// Begins anew with the first delay, after a success.
    pub fn reset(&mut self) {
        self.failed = 0;
    }
}

/// Returns `delay` times a random factor from the range.
///
/// Tasks that failed together then do not come back together.
#[must_use]
pub fn jittered(delay: Duration, factors: Range<f64>, entropy: &dyn Entropy) -> Duration {
    // 53 bits, which is the precision of an f64.
    let random = (entropy.next() >> 11) as f64 / (1_u64 << 53) as f64;
    delay.mul_f64(factors.start + (factors.end - factors.start) * random)
}
