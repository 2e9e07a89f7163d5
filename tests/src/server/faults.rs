//! Injected faults: which calls fail, derived from a seed.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The share of failing calls, and the kinds of their faults.
#[derive(Debug)]
pub(crate) struct Faults<F> {
    /// The source of all choices, also of how a fault treats its call.
    pub(crate) random: StdRng,
    share: f64,
    kinds: Vec<F>,
    /// Faults for the next calls of a name, which precede random ones.
    next: Vec<(String, F)>,
}

impl<F: Copy> Faults<F> {
    /// Returns faults of which none happens until a test asks for some.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed.wrapping_add(2)), share: 0.0, kinds: Vec::new(), next: Vec::new() }
    }

    /// Makes this share of calls fail from now on, with these kinds of faults.
    pub(crate) fn inject(&mut self, share: f64, kinds: &[F]) {
        (self.share, self.kinds) = (share, kinds.to_vec());
    }

    /// Makes the next call of a name fail.
    pub(crate) fn inject_next(&mut self, name: &str, fault: F) {
        self.next.push((name.to_owned(), fault));
    }

    /// Returns the fault of a call, if it is to fail. `is_named` recognises the name of the call.
    pub(crate) fn choose(&mut self, is_named: impl Fn(&str) -> bool) -> Option<F> {
        if let Some(index) = self.next.iter().position(|(wanted, _)| is_named(wanted)) {
            return Some(self.next.remove(index).1);
        }
        let falls = self.share > 0.0 && self.random.random_bool(self.share) && !self.kinds.is_empty();
        falls.then(|| self.kinds[self.random.random_range(0..self.kinds.len())])
    }

    /// Returns the delay of a slow call.
    pub(crate) fn delay(&mut self) -> Duration {
        Duration::from_millis(self.random.random_range(200..1_500))
    }
}
