//! Injected faults, derived from a seed.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429 with a short waiting time; nothing is performed.
    TooMany,
    /// 500, 502 or 503; nothing is performed.
    Broken,
    /// Performed, up to 1.5 seconds later.
    Slow,
    /// The connection is closed; nothing is performed.
    CutBefore,
    /// Performed, but the connection is closed instead of an answer.
    CutAfter,
    /// 401, as for an invalid token; nothing is performed.
    Unauthorized,
    /// 403 in HTML from a proxy in front of Discord, with a waiting time of a second; nothing is performed.
    ShutOut,
}

impl Fault {
    /// All faults that a client must tolerate.
    pub const ALL: [Self; 5] = [Self::TooMany, Self::Broken, Self::Slow, Self::CutBefore, Self::CutAfter];
}

/// The share of failing calls, and the kinds of their faults.
pub(in crate::discord) struct Faults {
    pub(super) random: StdRng,
    pub(in crate::discord) share: f64,
    pub(in crate::discord) kinds: Vec<Fault>,
    /// Faults for the next calls of an operation, which precede random ones.
    pub(in crate::discord) next: Vec<(String, Fault)>,
    /// Whether all calls with the token are answered with 401.
    pub(in crate::discord) refuses_token: bool,
    /// Names that are refused for webhooks, although no rule says so.
    pub(in crate::discord) refused_names: Vec<String>,
    /// Operations of which all calls are answered with 500.
    pub(in crate::discord) broken: Vec<String>,
}

impl Faults {
    pub(in crate::discord) fn new(seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_add(2));
        Self {
            random,
            share: 0.0,
            kinds: Fault::ALL.to_vec(),
            next: Vec::new(),
            refuses_token: false,
            refused_names: Vec::new(),
            broken: Vec::new(),
        }
    }

    pub(super) fn choose(&mut self, operation: &str) -> Option<Fault> {
        if self.refuses_token {
            return Some(Fault::Unauthorized);
        }
        if self.broken.iter().any(|broken| broken == operation) {
            return Some(Fault::Broken);
        }
        if let Some(index) = self.next.iter().position(|(wanted, _)| wanted == operation) {
            return Some(self.next.remove(index).1);
        }
        let falls = self.share > 0.0 && self.random.random_bool(self.share) && !self.kinds.is_empty();
        falls.then(|| self.kinds[self.random.random_range(0..self.kinds.len())])
    }
}
