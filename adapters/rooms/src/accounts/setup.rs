//! The one-time link with which the owner of a new service creates an account.

use std::sync::{Mutex, PoisonError};

use crate::files::fresh_id;
use crate::service::Rooms;
use palabre_platform::Entropy;

/// The secret of the link, while there is no owner. Each start makes a new one.
#[derive(Debug, Default)]
pub(crate) struct OwnerLink(Mutex<Option<String>>);

impl OwnerLink {
    /// Makes the secret, if there is none yet. Returns it.
    fn make(&self, entropy: &dyn Entropy) -> String {
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

impl Rooms {
    /// Returns the path at which the owner registers, as long as there is no owner.
    ///
    /// It works once, and until the next start.
    #[must_use]
    pub fn owner_path(&self) -> Option<String> {
        // Before the roles are read, nobody knows.
        if self.context.borrow().is_none() || self.authority.roles.has_owner() {
            return None;
        }
        let secret = self.owner_link.make(&*self.entropy);
        Some(format!("/register-page?owner={secret}"))
    }
}
