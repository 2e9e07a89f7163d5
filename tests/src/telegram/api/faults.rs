//! Injected faults, derived from a seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::telegram::refusal::Refusal;
use crate::telegram::state::State;

/// The waiting time of an injected 429, in seconds.
pub(super) const RETRY_AFTER_SECONDS: u64 = 1;

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
pub(in crate::telegram) struct Faults {
    random: StdRng,
    pub(in crate::telegram) share: f64,
    pub(in crate::telegram) kinds: Vec<Fault>,
    /// Faults for the next calls of a method, which precede random ones.
    pub(in crate::telegram) next: Vec<(String, Fault)>,
}

impl Faults {
    pub(in crate::telegram) fn new(seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_add(2));
        Self { random, share: 0.0, kinds: Fault::ALL.to_vec(), next: Vec::new() }
    }

    fn choose(&mut self, method: &str) -> Option<Fault> {
        if let Some(index) = self.next.iter().position(|(wanted, _)| wanted.eq_ignore_ascii_case(method)) {
            return Some(self.next.remove(index).1);
        }
        let falls = self.share > 0.0 && self.random.random_bool(self.share) && !self.kinds.is_empty();
        falls.then(|| self.kinds[self.random.random_range(0..self.kinds.len())])
    }
}

/// The treatment of a call.
#[derive(Debug)]
pub(super) enum Chosen {
    Instead(Refusal),
    BadGateway,
    Before,
    After,
    Truncated,
    Nulls,
    Late(Duration),
}

impl State {
    pub(super) fn choose_fault(&mut self, method: &str) -> Option<Chosen> {
        let fault = self.faults.choose(method)?;
        self.counters.faults += 1;
        Some(match fault {
            Fault::TooMany => Chosen::Instead(Refusal::too_many(RETRY_AFTER_SECONDS)),
            Fault::Broken => Chosen::Instead(Refusal::internal()),
            Fault::BadGateway => Chosen::BadGateway,
            Fault::Slow => Chosen::Late(Duration::from_millis(self.faults.random.random_range(200..1_500))),
            Fault::CutBefore => Chosen::Before,
            Fault::CutAfter => Chosen::After,
            Fault::Truncated => Chosen::Truncated,
            Fault::Unauthorized => Chosen::Instead(Refusal::unauthorized()),
            Fault::NotFound => Chosen::Instead(Refusal::not_found()),
            Fault::Nulls => Chosen::Nulls,
        })
    }
}
