//! Deduplicates interactions: Discord may send one twice, and it is answered once.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use palabre_store::{Direction, Snapshot, Table};
use palabre_types::TableId;
use palabre_types::{Batch, BotName, Millis};

/// Interactions by bot and id.
const SEEN: Table<(String, u64), ()> = Table::new(TableId::DiscordInteractions);
/// The time for which a repetition is recognised: a little longer than answers are accepted.
const REPETITION_PERIOD: Millis = 20 * 60_000;
/// The most interactions that are kept in memory.
const INTERACTIONS_MAX: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();

/// The interactions that were recently accepted.
pub(crate) struct SeenInteractions(Mutex<LruCache<u64, ()>>);

impl Default for SeenInteractions {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(INTERACTIONS_MAX)))
    }
}

impl SeenInteractions {
    /// Loads the interactions that are durable, and forgets all others.
    ///
    /// Discord sends again what was lost before it was journalled.
    pub(crate) fn load(&self, snapshot: &Snapshot, bot: &BotName) -> palabre_store::Result<()> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.clear();
        for row in SEEN.scan(snapshot, &bot.to_string(), Direction::Forward)? {
            let ((of, id), ()) = row?;
            if of == bot.as_str() {
                seen.put(id, ());
            }
        }
        Ok(())
    }

    /// Accepts an interaction, and returns whether it is the first time.
    pub(crate) fn insert(&self, interaction: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(interaction, ()).is_none()
    }
}

/// Adds an accepted interaction to `batch`.
pub(crate) fn keep(batch: &mut Batch, bot: &BotName, interaction: u64, now: Millis) {
    SEEN.put_until(batch, &(bot.to_string(), interaction), &(), Some(now + REPETITION_PERIOD));
}
