//! The context of the workers: what they and the scripts on them need from their owner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use palabre_outbox::{Bots, RecentDeliveries};
use palabre_platform::Clock;
use palabre_script::Ticker;
use palabre_store::Store;
use palabre_types::Bot;

use crate::bot_settings::Settings;
use crate::declared::Declared;
use crate::owner::Owner;
use crate::published::Published;

/// The components that workers share with their owner. All clones have the same ones.
#[derive(Clone)]
pub struct RunnerContext {
    /// The store, which workers only read.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The watchdog of VMs.
    pub ticker: Ticker,
    /// The bots, with their adapters and outboxes.
    pub bots: Arc<Bots>,
    /// The messages that were sent recently, or are being sent.
    pub recent_deliveries: Arc<RecentDeliveries>,
    /// The settings of the bots.
    pub settings: Arc<Settings>,
    /// The declarations of all scripts, which the owner publishes.
    pub declared: Arc<Published<Arc<Declared>>>,
    /// The next sequence number.
    pub seq: Arc<AtomicU64>,
    /// The owner of the workers.
    pub owner: Arc<dyn Owner>,
}

impl RunnerContext {
    /// Assigns a sequence number.
    pub(crate) fn assign_seq(&self) -> u64 {
        self.seq.fetch_add(1, Relaxed)
    }
}

/// Returns the bot of events that belong to no bot: the runtime itself.
#[must_use]
pub fn own_bot() -> Bot {
    Bot { name: "palabre".into(), platform: "palabre".into() }
}
