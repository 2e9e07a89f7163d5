//! The parts of the service that a room needs.

use std::sync::Arc;

use palabre_platform::{AdapterContext, Entropy, Receipt};
use palabre_store::Store;
use palabre_types::Batch;

use crate::change_log::recorder::ChangeLog;
use crate::config::Config;
use crate::counts::Counts;
use crate::directory::Directory;
use crate::groups::Authority;
use crate::members::Members;
use crate::search::feed::Feed;
use crate::uploads::Uploads;

/// The parts of the service that a room needs.
pub(crate) struct RoomContext {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) context: AdapterContext,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) members: Arc<Members>,
    pub(crate) authority: Authority,
    pub(crate) change_log: Arc<ChangeLog>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) uploads: Arc<Uploads>,
    pub(crate) name: String,
    pub(crate) counts: Arc<Counts>,
    /// Learns what the search index has to apply.
    pub(crate) feed: Arc<Feed>,
}

impl RoomContext {
    /// Writes rows that belong to no event, in order with the room's events.
    pub(crate) fn write(&self, reason: &'static str, rows: Batch) -> Receipt {
        self.context.sink.write(&self.context.bot.name, reason, rows)
    }
}
