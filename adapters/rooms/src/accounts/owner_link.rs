//! The one-time link with which the owner of a new service creates an account.

use std::sync::{Mutex, PoisonError};

use palabre_platform::Entropy;

use crate::files::fresh_id;

/// The secret of the link, while there is no owner. Each start makes a new one.
#[derive(Debug, Default)]
pub(crate) struct OwnerLink(Mutex<Option<String>>);

impl OwnerLink {
    /// Makes the secret, if there is none yet. Returns it.
    pub(super) fn make(&self, entropy: &dyn Entropy) -> String {
        let mut secret = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secret.get_or_insert_with(|| fresh_id(entropy)).clone()
    }

    /// Takes the secret if it is the given one: the link works once.
    pub(crate) fn take(&self, given: &str) -> bool {
        let mut secret = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // 128 random bits, and few attempts: the time of the comparison reveals nothing useful.
        secret.take_if(|secret| secret == given).is_some()
    }

    /// Puts the secret back, after a registration that failed.
    pub(crate) fn put_back(&self, secret: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret.to_owned());
    }
}
