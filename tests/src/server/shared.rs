//! The state of a stand-in, as its sockets and the tests share it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::changes::Changes;

/// The state of a stand-in with what never changes, and a way to wait for changes.
pub(crate) struct Shared<S, R: 'static, O> {
    state: Mutex<S>,
    pub(crate) changes: Changes,
    /// The platform's published rules.
    pub(crate) rules: &'static R,
    pub(crate) options: O,
}

impl<S, R, O> Shared<S, R, O> {
    pub(crate) fn new(state: S, rules: &'static R, options: O) -> Self {
        Self { state: Mutex::new(state), changes: Changes::default(), rules, options }
    }

    /// Changes the state, and wakes everything that waits for a change.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut S) -> T) -> T {
        let outcome = act(&mut self.lock());
        self.changes.wake();
        outcome
    }

    /// Changes the state without waking anything.
    pub(crate) fn change_silently<T>(&self, act: impl FnOnce(&mut S) -> T) -> T {
        act(&mut self.lock())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, S> {
        // A test that requested something impossible has panicked; the state is unchanged.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
