//! The faults that are injected, derived from a seed.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with a waiting time of a second; nothing is performed.
    TooMany,
    /// 500; nothing is performed.
    Broken,
    /// 502 with an HTML page; nothing is performed.
    BadGateway,
    /// Performed, up to 1.5 seconds later.
    Slow,
    /// The connection is closed; nothing is performed.
    CutBefore,
    /// Performed, but the connection is closed instead of an answer.
    CutAfter,
    /// Performed, but the answer ends in the middle.
    Truncated,
    /// 401, as for an invalid token; nothing is performed. Not in [`Fault::ALL`], like those below.
    Unauthorized,
    /// 404 with only `Not Found`; nothing is performed.
    NotFound,
    /// Performed; fields that Telegram would leave out are null in the answer.
    Nulls,
}

impl Fault {
    /// All faults that occur in practice.
    pub const ALL: [Self; 7] =
        [Self::TooMany, Self::Broken, Self::BadGateway, Self::Slow, Self::CutBefore, Self::CutAfter, Self::Truncated];
}

/// The share of failing calls, and the kinds of their faults.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) random: StdRng,
    pub(super) share: f64,
    pub(super) kinds: Vec<Fault>,
    /// Faults for the next calls of a method, which precede random ones.
    pub(super) next: Vec<(String, Fault)>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_add(2));
        Self { random, share: 0.0, kinds: Fault::ALL.to_vec(), next: Vec::new() }
    }

    /// Returns the fault of the next call of a method, if it is to fail.
    pub(super) fn choose(&mut self, method: &str) -> Option<Fault> {
        if let Some(index) = self.next.iter().position(|(wanted, _)| wanted.eq_ignore_ascii_case(method)) {
            return Some(self.next.remove(index).1);
        }
        let falls = self.share > 0.0 && self.random.random_bool(self.share) && !self.kinds.is_empty();
        falls.then(|| self.kinds[self.random.random_range(0..self.kinds.len())])
    }
}
