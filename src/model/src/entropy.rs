//! The one place that randomness comes from.

use std::sync::{Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

/// Where randomness comes from.
pub trait Entropy: Send + Sync + 'static {
    /// 64 bits that nobody could have told before.
    fn next(&self) -> u64;
}

/// Seeded by the operating system.
pub struct SystemEntropy(SeededEntropy);

impl SystemEntropy {
    /// Asks the operating system for a seed, once.
    ///
    /// # Errors
    /// When it has none to give.
    pub fn new() -> std::io::Result<Self> {
        let rng = StdRng::try_from_rng(&mut SysRng).map_err(std::io::Error::other)?;
        Ok(Self(SeededEntropy(Mutex::new(rng))))
    }
}

impl Entropy for SystemEntropy {
    fn next(&self) -> u64 {
        self.0.next()
    }
}

/// The same numbers for the same seed.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// A source that depends on `seed` alone.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn next(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
