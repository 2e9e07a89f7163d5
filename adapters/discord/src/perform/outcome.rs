//! Outcomes of requests.

use palabre_types::{ActionError, Outcome};
use serde_json::Value;

use crate::rest::RestError;

/// Returns the outcome of a request whose response says nothing more.
pub(super) fn done(result: Result<Value, RestError>) -> Result<Outcome, ActionError> {
    result.map(|_| Outcome::default()).map_err(ActionError::from)
}

/// Treats a missing target as success, so that a repetition after a crash succeeds.
pub(super) fn gone_is_done(result: Result<Outcome, ActionError>) -> Result<Outcome, ActionError> {
    match result {
        Err(ActionError::NotFound(_)) => Ok(Outcome::default()),
        other => other,
    }
}
