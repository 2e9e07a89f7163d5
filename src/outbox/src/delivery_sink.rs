//! The interface to the owner of the outbox, which journals what becomes of actions.

use palabre_platform::Receipt;
use palabre_types::Batch;

use crate::pending_action::Completed;

/// The consumer of what becomes of actions. It outlives the tasks of the outbox.
pub trait DeliverySink: Send + Sync + 'static {
    /// Takes actions of one queue that were handled, in order.
    ///
    /// The results are journalled some time later. Until they are durable, the next start performs
    /// the actions again, under the same keys.
    fn completed(&self, completed: Vec<Completed>);

    /// Writes rows about an attempt, in order with everything else. `reason` says why, in a few words.
    ///
    /// The receipt resolves once they are durable.
    fn record_attempt(&self, reason: &'static str, rows: Batch) -> Receipt;
}
