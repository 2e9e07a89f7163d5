//! Seeds of crash tests: one number repeats all random choices of a run.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// Returns a random number generator, and prints its seed.
///
/// The seed is that of `PALABRE_SEED`, or a new one. Kills happen in real time, so a seed repeats
/// the choices of a test, not the exact interleaving.
#[allow(clippy::print_stdout, reason = "shown with the output of a failed test")]
pub fn random() -> StdRng {
    let given = std::env::var("PALABRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = given.unwrap_or_else(rand::random);
    println!("seed {seed}; repeat with PALABRE_SEED={seed}");
    StdRng::seed_from_u64(seed)
}
