//! Rate limits by token bucket, for each connection, person and address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use palabre_platform::Clock;
use palabre_types::Millis;

use crate::limits::{Kind, Limits, Rate};

/// Maximum number of buckets.
const BUCKETS_MAX: usize = 100_000;

/// The owner of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Connection(u64),
    /// By address and guest id: the same token at another address has another bucket.
    Person(Network, Arc<str>),
    Address(Network),
    /// An account, whatever the address of those who try to sign in.
    Anywhere(Arc<str>),
}

/// The origin of a client: its IPv4 address or its IPv6 /64 network.
///
/// One machine has many IPv6 addresses.
pub(crate) type Network = Option<IpAddr>;

/// The decision about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    /// The event is accepted; nothing more should be read for this long.
    Late(Duration),
    /// The event is refused; it would be accepted after this long.
    Refused(Duration),
}

/// All buckets. Their number is bounded; full ones are evicted first.
pub(crate) struct Limiter {
    limits: Limits,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<(Who, Kind), Bucket>>,
    late: [AtomicU64; Kind::ALL.len()],
    refused: [AtomicU64; Kind::ALL.len()],
}

/// The tokens left; below zero, tokens taken in advance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    level: f64,
    at: Millis,
}

impl Bucket {
    pub(crate) fn full(burst: u32, now: Millis) -> Self {
        Self { level: f64::from(burst), at: now }
    }

    /// Adds tokens for the time since the last call. A clock that was set back adds none.
    pub(crate) fn refill(&mut self, rate: Rate, now: Millis) {
        let passed = now.saturating_sub(self.at) as f64;
        self.level = (self.level + passed * per_milli(rate)).min(f64::from(rate.burst));
        self.at = now;
    }

    /// Takes `amount` tokens.
    ///
    /// Returns the time until the level is back at zero, if it is below.
    pub(crate) fn take(&mut self, amount: f64, rate: Rate) -> Option<Duration> {
        self.level -= amount;
        (self.level < 0.0).then(|| wait(-self.level, rate))
    }
}

impl Limiter {
    pub(crate) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self { limits, clock, buckets: Mutex::default(), late: Default::default(), refused: Default::default() }
    }

    /// Takes one event from all buckets of `who`, or from none if one of them refuses it.
    pub(crate) fn take(&self, kind: Kind, who: &[Who]) -> Verdict {
        let rate = self.limits.rate(kind);
        if rate.per_minute == 0 {
            return Verdict::Pass;
        }
        let now = self.clock.now();
        let mut buckets = self.lock();
        self.forget_some(&mut buckets, now);
        let mut refused = None;
        for who in who {
            let rate = self.rate_of(who, rate);
            let bucket = buckets.entry((who.clone(), kind)).or_insert_with(|| Bucket::full(rate.burst, now));
            bucket.refill(rate, now);
            let least = if kind.may_be_late() { -f64::from(rate.burst) } else { 0.0 };
            if bucket.level - 1.0 < least {
                refused = refused.max(Some(wait(least - (bucket.level - 1.0), rate)));
            }
        }
        if let Some(wait) = refused {
            self.refused[kind as usize].fetch_add(1, Relaxed);
            return Verdict::Refused(wait);
        }
        let mut late = None;
        for who in who {
            let rate = self.rate_of(who, rate);
            if let Some(bucket) = buckets.get_mut(&(who.clone(), kind)) {
                late = late.max(bucket.take(1.0, rate));
            }
        }
        late.map_or(Verdict::Pass, |wait| {
            self.late[kind as usize].fetch_add(1, Relaxed);
            Verdict::Late(wait)
        })
    }

    /// Returns the number of events accepted late and refused, by kind.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Kind, u64, u64)> {
        Kind::ALL
            .into_iter()
            .map(|kind| (kind, self.late[kind as usize].load(Relaxed), self.refused[kind as usize].load(Relaxed)))
    }

    fn rate_of(&self, who: &Who, rate: Rate) -> Rate {
        match who {
            Who::Connection(_) | Who::Person(..) => rate,
            Who::Address(_) | Who::Anywhere(_) => {
                let people = self.limits.people_per_address.max(1);
                Rate { burst: rate.burst.saturating_mul(people), per_minute: rate.per_minute.saturating_mul(people) }
            }
        }
    }

    /// Evicts buckets when the maximum is reached.
    ///
    /// Full ones go first, which loses nothing. If that does not help enough, every other one goes.
    fn forget_some(&self, buckets: &mut HashMap<(Who, Kind), Bucket>, now: Millis) {
        if buckets.len() < BUCKETS_MAX {
            return;
        }
        buckets.retain(|(who, kind), bucket| {
            let rate = self.rate_of(who, self.limits.rate(*kind));
            bucket.refill(rate, now);
            bucket.level < f64::from(rate.burst)
        });
        if buckets.len() > BUCKETS_MAX / 2 {
            let mut stays = false;
            buckets.retain(|_, _| {
                stays = !stays;
                stays
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Who, Kind), Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the network by which an address is counted.
pub(crate) fn network(address: Option<IpAddr>) -> Network {
    address.map(|address| match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    })
}

fn per_milli(rate: Rate) -> f64 {
    f64::from(rate.per_minute) / 60_000.0
}

fn wait(tokens: f64, rate: Rate) -> Duration {
    Duration::from_millis((tokens / per_milli(rate)).ceil() as u64)
}

#[cfg(test)]
mod tests;
