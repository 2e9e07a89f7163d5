//! Guests: people without an account, identified by a token of the service.
//!
//! Only the hash of a token is stored.

use std::sync::Arc;

use palabre_platform::Entropy;
use palabre_store::{Result, Store, Table};
use palabre_types::TableId;
use palabre_types::{Batch, Millis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::fresh_id;

/// Guests by the hash of their token.
const GUESTS: Table<String, GuestRow> = Table::new(TableId::RoomGuests);
/// Maximum length of a token, in bytes.
pub(crate) const TOKEN_MAX: usize = 128;
/// Length of the part of a guest's id that others see: enough to tell guests apart.
const PUBLIC_ID_LENGTH: usize = 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GuestRow {
    last_use: Millis,
}

/// The kind of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PersonKind {
    /// Known by a token of the service.
    Guest,
    /// Registered, with a name and a password.
    Account,
    /// A program that posts through an incoming webhook.
    Webhook,
}

/// A person in the form in which rooms know people, independent of the name in use.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) kind: PersonKind,
    /// The hash of the guest's token, in hexadecimal, or the id of the account.
    pub(crate) id: Arc<str>,
    /// The token is a credential and is sent only to the guest's own client. Accounts have none.
    pub(crate) token: Arc<str>,
}

impl Guest {
    /// Returns a new guest with a random token.
    pub(crate) fn fresh(entropy: &dyn Entropy) -> Self {
        Self::holding(&format!("{}{}", fresh_id(entropy), fresh_id(entropy)))
    }

    /// Returns an account in the form in which rooms know people.
    pub(crate) fn of_account(id: &str) -> Self {
        Self { kind: PersonKind::Account, id: id.into(), token: "".into() }
    }

    /// Returns the guest with `token`, whether or not the service issued it.
    pub(crate) fn holding(token: &str) -> Self {
        let id: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { kind: PersonKind::Guest, id: id.into(), token: token.into() }
    }
}

/// Returns the part of a guest's id that everybody may see.
pub(crate) fn public_id(id: &str) -> &str {
    id.get(..PUBLIC_ID_LENGTH).unwrap_or(id)
}

/// Returns when the guest's token was last used; `None` if it is unknown or has expired.
///
/// Reads from disk.
pub(crate) fn last_use(store: &Store, id: &str, now: Millis) -> Result<Option<Millis>> {
    Ok(GUESTS.get(&store.snapshot(now)?, &id.to_owned())?.map(|row| row.last_use))
}

/// Returns the rows that record a use of the token at `now`. It expires after `life` without use.
pub(crate) fn record_use(guest: &Guest, now: Millis, life: Millis) -> Batch {
    let mut batch = Batch::default();
    GUESTS.put_until(&mut batch, &guest.id.to_string(), &GuestRow { last_use: now }, Some(now.saturating_add(life)));
    batch
}
