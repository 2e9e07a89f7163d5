//! The state of a stand-in, as its sockets and the tests share it.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::watch;

use crate::changes::Changes;

use super::options::Options;
use super::rules::Rules;
use super::state::State;

/// The state shared by the sockets and the tests.
pub(super) struct Shared {
    pub(super) state: Mutex<State>,
    pub(super) changes: Changes,
    pub(super) rules: &'static Rules,
    pub(super) options: Options,
    /// Incremented when all connections are cut.
    pub(super) cuts: watch::Sender<u64>,
}

impl Shared {
    /// Changes the state, and wakes everything that waits for a change.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let outcome = act(&mut self.lock());
        self.changes.wake();
        outcome
    }

    /// Changes the state without waking anything.
    pub(super) fn change_silently<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.lock())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that requested something impossible has panicked; the state is unchanged.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
