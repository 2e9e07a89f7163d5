//! Numbers of the steps that are done for a run of another script.
//!
//! They differ from those of the called script's own runs, which may be for the same event.

/// The first of them.
const CALL_STEPS_FIRST: u32 = 1 << 30;

/// Returns the number of the step in which a script is called by `step` of a run of `caller`.
pub(crate) fn call_step(caller: &str, step: u32) -> u32 {
    CALL_STEPS_FIRST + u32::try_from(fold(caller)).unwrap_or(0) + step
}

/// Whether a step was done for a run of another script, by its number.
pub(crate) fn is_call(step: u32) -> bool {
    // The limit: the largest fold, and more steps than any run has. Numbers above are of
    // interrupted runs.
    (CALL_STEPS_FIRST..CALL_STEPS_FIRST + (3 << 28)).contains(&step)
}

/// Returns a number below 2^29 for a script's name.
fn fold(name: &str) -> u64 {
    // FNV-1a (Fowler, Noll, Vo), truncated.
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash % (1 << 19)) << 10
}
