//! Randomness: the only module that draws random numbers.

use std::sync::{Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

/// A source of random numbers.
pub trait Entropy: Send + Sync + 'static {
    /// Returns 64 random bits, which cannot be predicted if the seed is secret.
    fn next(&self) -> u64;
}

/// A source seeded by the operating system.
pub struct SystemEntropy(SeededEntropy);

impl SystemEntropy {
    /// Creates a source, with a seed from the operating system.
    ///
    /// # Errors
    /// Fails when the operating system has no seed to give.
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

/// A deterministic source: the same seed gives the same numbers.
pub struct SeededEntropy(Mutex<StdRng>);

impl SeededEntropy {
    /// Creates a source that depends only on `seed`.
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
