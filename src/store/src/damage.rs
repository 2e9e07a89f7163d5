//! The damage that an open store has met.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// The first damage that was found since the store was opened.
#[derive(Debug, Default)]
pub(crate) struct Damage(Mutex<Option<String>>);

impl Damage {
    /// Records an error if it means damage.
    pub(crate) fn record(&self, error: &Error) {
        if matches!(error, Error::Damaged { .. } | Error::Row { .. }) {
            self.first().get_or_insert_with(|| error.to_string());
        }
    }

    pub(crate) fn found(&self) -> Option<String> {
        self.first().clone()
    }

    fn first(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
