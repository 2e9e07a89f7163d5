//! Checks that apply to all declarations, and the memory that they take.

use serde::Serialize;

use crate::declarations::DECLARATIONS_MAX;
use crate::limits::{DECLARED_BYTES, Limit};
use crate::reply::Problem;
use crate::run::Run;

/// Checks that the script is loading. `what` names the function that it calls.
pub(super) fn loading(run: &Run, what: &str) -> Result<(), Problem> {
    if run.is_loading { Ok(()) } else { Err(format!("{what} is called while the script loads, not inside a hook")) }
}

/// Checks that one more declaration fits, in addition to `count`.
pub(super) fn room_for(count: usize, what: &str) -> Result<(), Problem> {
    if count < DECLARATIONS_MAX { Ok(()) } else { Err(format!("a script has at most {DECLARATIONS_MAX} {what}")) }
}

/// Counts the size of a declaration, and `more` bytes that are not in its serialised form.
///
/// It stays in the host's memory for as long as this version of the script runs.
pub(super) fn keep(run: &mut Run, spec: &impl Serialize, more: usize) -> Result<(), Problem> {
    const OVERHEAD: usize = 256;
    let bytes = serde_json::to_string(spec).map_or(0, |text| text.len());
    run.declared_bytes = run.declared_bytes.saturating_add(OVERHEAD + bytes).saturating_add(more);
    if run.declared_bytes > DECLARED_BYTES { Err(run.trip(Limit::Declared)) } else { Ok(()) }
}
