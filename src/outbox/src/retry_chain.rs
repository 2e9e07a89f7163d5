//! Retries a failed action outside of its queue.
//!
//! Only the later actions of the same script in the same room wait for it.

use std::sync::Arc;
use std::time::Duration;

use palabre_state::{OUTBOX, Stored};

use crate::attempt::{self, AttemptLimits};
use crate::outbox::{Outbox, STORE_RETRY_DELAY};
use crate::pending_action::{ChainId, Completed, PendingAction};

/// Works until the chain is empty, or until shutdown; then the next start continues.
pub(crate) async fn run(outbox: Arc<Outbox>, chain: ChainId) {
    let bot = outbox.bot(chain.bot.as_str());
    while let Some((position, attempts)) = bot.first_in_chain(&chain) {
        if attempts > 0 && !outbox.wait(attempt::retry_delay(attempts, &*outbox.cx.entropy)).await {
            return;
        }
        let key = position.outbox_key(chain.bot.as_str(), chain.class, Stored::Chain);
        let (store, clock, row_key) = (outbox.cx.store.clone(), Arc::clone(&outbox.cx.clock), key.clone());
        let read = tokio::task::spawn_blocking(move || OUTBOX.get(&store.snapshot(clock.now())?, &row_key)).await;
        let row = match read {
            Ok(Ok(Some(row))) => row,
            // It is not durable yet.
            Ok(Ok(None)) => {
                if !outbox.wait(Duration::from_millis(100)).await {
                    return;
                }
                continue;
            }
            Ok(Err(error)) => {
                tracing::error!(room = %chain.room, "cannot read a waiting action; trying again: {error}");
                if !outbox.wait(STORE_RETRY_DELAY).await {
                    return;
                }
                continue;
            }
            Err(_stopped) => return,
        };
        let mut entry = PendingAction::from_row(&key, row);
        let limits = AttemptLimits { before: attempts, max: attempt::ATTEMPTS_MAX };
        let Some(result) = attempt::perform(&outbox, &mut entry, limits).await else { return };
        outbox.complete(vec![Completed { entry, result }]);
        bot.advance_chain(&chain);
        if outbox.is_leaving() {
            return;
        }
    }
}
