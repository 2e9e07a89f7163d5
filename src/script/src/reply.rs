//! The return values of host functions, as the prelude takes them: a value, or the problem to raise.

use palabre_types::ActionKey;

use crate::handle::HandleStep;

/// An error text that is raised at the script's own line.
pub(crate) type Problem = String;

/// The return values of a host function: the value, or the problem.
pub(crate) type Reply<T> = (Option<T>, Option<Problem>);

pub(crate) fn reply<T>(result: Result<T, Problem>) -> Reply<T> {
    match result {
        Ok(value) => (Some(value), None),
        Err(problem) => (None, Some(problem)),
    }
}

/// The return values of a function that requests an action: the fields of a handle, or the problem.
pub(crate) type Sent = (Option<f64>, Option<Problem>, Option<HandleStep>, Option<u32>);

pub(crate) fn sent(key: Result<ActionKey, Problem>) -> Sent {
    match key {
        Ok(key) => (Some(key.run.seq as f64), None, Some(HandleStep::of(key.run)), Some(key.index)),
        Err(problem) => (None, Some(problem), None, None),
    }
}
