//! A state that its owner publishes, and that others read.

use std::sync::{Mutex, PoisonError};

/// A published state: its owner writes it, and others read it.
#[derive(Debug)]
pub struct Published<T>(Mutex<T>);

impl<T: Clone> Published<T> {
    /// Publishes the first state.
    #[must_use]
    pub const fn new(first: T) -> Self {
        Self(Mutex::new(first))
    }

    /// Returns the present state.
    #[must_use]
    pub fn read(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the state.
    pub fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
