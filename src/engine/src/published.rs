//! A state that its owner publishes, and that others read.

use std::sync::{Mutex, PoisonError};

/// A published state: its owner writes it, and others read it.
#[derive(Debug)]
pub(crate) struct Published<T>(Mutex<T>);

impl<T: Clone> Published<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self(Mutex::new(first))
    }

    pub(crate) fn read(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn write(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
