//! Guests: people without an account, each known by a token that the service has given out. Only the token's hash is stored.

use std::sync::Arc;

use palabre_model::{Batch, Entropy, Millis};
use palabre_store::{Result, Store, Table, TableId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::fresh_id;

/// Guests by the hash of their token.
const GUESTS: Table<String, GuestRow> = Table::new(TableId::RoomGuests);
/// The longest token, in bytes.
pub(crate) const TOKEN_MAX: usize = 128;
/// How much of a guest's id others see: enough to tell guests apart.
const PUBLIC_ID_LENGTH: usize = 16;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GuestRow {
    last_use: Millis,
}

/// A guest, whatever name they go by.
#[derive(Clone)]
pub(crate) struct Guest {
    /// The hash of the token, in hexadecimal.
    pub(crate) id: Arc<str>,
    /// Whoever has it is this guest: it is told to their own client alone.
    pub(crate) token: Arc<str>,
}

impl Guest {
    /// Returns a guest whom nobody has met yet.
    pub(crate) fn fresh(entropy: &dyn Entropy) -> Self {
        Self::holding(&format!("{}{}", fresh_id(entropy), fresh_id(entropy)))
    }

    /// Returns the guest who has `token`, whether or not the service has ever given it out.
    pub(crate) fn holding(token: &str) -> Self {
        let id: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id: id.into(), token: token.into() }
    }
}

/// Returns the part of a guest's id that everybody may see.
pub(crate) fn public_id(id: &str) -> &str {
    id.get(..PUBLIC_ID_LENGTH).unwrap_or(id)
}

/// Returns when the token of the guest `id` was last used; `None` when it is unknown or has expired. Reads the disk.
pub(crate) fn last_use(store: &Store, id: &str, now: Millis) -> Result<Option<Millis>> {
    Ok(GUESTS.get(&store.snapshot(now)?, &id.to_owned())?.map(|row| row.last_use))
}

/// Returns the rows that note a token as used `now`. It expires after being unused for `life`.
pub(crate) fn record_use(guest: &Guest, now: Millis, life: Millis) -> Batch {
    let mut batch = Batch::default();
    GUESTS.put_until(&mut batch, &guest.id.to_string(), &GuestRow { last_use: now }, Some(now.saturating_add(life)));
    batch
}
