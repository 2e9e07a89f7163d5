//! One ordered queue of the outbox: performs the actions of a room and class in order, each once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use palabre_state::Class;
use palabre_types::{ActionError, Outcome, RoomId};
use tracing::Instrument;

use crate::at_most_once::is_recorded;
use crate::attachment_relay::has_files_to_fetch;
use crate::attempt::{self, ATTEMPTS_IN_QUEUE, AttemptLimits, remembered, resolve};
use crate::merge::{Replaced, replaced};
use crate::outbox::Outbox;
use crate::pending_action::{ChainId, Completed, Delivery, PendingAction};

/// Maximum number of actions that are handed to an adapter together.
const ADAPTER_BATCH_MAX: usize = 64;

/// Works until the queue is empty. At shutdown the rest stays pending, and the next start finds it.
pub(crate) async fn run(outbox: Arc<Outbox>, room: RoomId, class: Class) {
    while let Some(mut entries) = outbox.take(&room, class) {
        let replaced = replaced(&entries);
        while !entries.is_empty() {
            let some: Vec<PendingAction> = entries.drain(..entries.len().min(ADAPTER_BATCH_MAX)).collect();
            if !perform_some(&outbox, some, &replaced).await {
                return;
            }
        }
    }
}

/// Performs entries in order.
///
/// Returns false at shutdown; then completed entries have been reported, and the rest is left.
async fn perform_some(outbox: &Arc<Outbox>, mut entries: Vec<PendingAction>, replaced: &Replaced) -> bool {
    let waiting = entries.iter().filter(|entry| !may_precede_its_run(outbox, entry)).map(|entry| entry.position.block);
    if let Some(batch) = waiting.max()
        && !outbox.until_durable(batch).await
    {
        return false;
    }
    let adapter = entries.first().and_then(|entry| outbox.cx.bots.adapter(entry.bot()));
    if adapter.is_some_and(|adapter| adapter.is_local()) && !outbox.until_writable().await {
        return false;
    }
    // Users may press a button of a new message before its platform id is known.
    let makes = entries.iter().filter(|entry| entry.action.kind().creates_object());
    let _sending: Vec<_> = makes
        .filter(|entry| {
            let adapter = outbox.cx.bots.adapter(entry.bot());
            adapter.is_some_and(|adapter| adapter.message_id(&entry.key).is_none())
        })
        .map(|entry| outbox.cx.recent_deliveries.sending(&entry.key, entry.action.room()))
        .collect();
    let mut first = together(outbox, &mut entries, replaced).await.into_iter();
    let mut completed = Vec::new();
    for mut entry in entries {
        if let Some(by) = replaced.get(&entry.position).cloned() {
            completed.push(Completed { entry, result: Delivery::Replaced { by } });
            continue;
        }
        let result = match first.next() {
            Some(Ok(outcome)) => Delivery::Done(remembered(outbox, &entry, outcome)),
            // Entries that failed, and those that were not tried, are performed one by one with
            // retries.
            Some(Err(_)) | None => {
                // Each is reported as soon as it is done: what is not reported is performed again
                // after a crash.
                outbox.complete(std::mem::take(&mut completed));
                match perform(outbox, &mut entry).await {
                    Some(result) => result,
                    None => return false,
                }
            }
        };
        completed.push(Completed { entry, result });
    }
    outbox.complete(completed);
    true
}

/// Whether an action may be performed before its run is durable.
fn may_precede_its_run(outbox: &Outbox, entry: &PendingAction) -> bool {
    let adapter = outbox.cx.bots.adapter(entry.bot());
    adapter.is_some_and(|adapter| adapter.commits_with_run(&entry.action)) && !has_files_to_fetch(&entry.action)
}

/// Performs one entry, or adds it to the retry chain of its script.
async fn perform(outbox: &Arc<Outbox>, entry: &mut PendingAction) -> Option<Delivery> {
    let (chain, position) = (ChainId::of(entry), entry.position);
    let bot = outbox.bot(entry.bot());
    if bot.follow(&chain, position) {
        return Some(Delivery::Chained { attempts: 0 });
    }
    let limits = AttemptLimits { before: 0, max: ATTEMPTS_IN_QUEUE };
    let result = attempt::perform(outbox, entry, limits).await?;
    if let Delivery::Chained { attempts } = result {
        outbox.add_to_chain(chain, position, attempts);
    }
    Some(result)
}

/// Performs the entries in one call, if the adapter can. Returns a result for each that was tried.
async fn together(
    outbox: &Outbox,
    entries: &mut [PendingAction],
    replaced: &Replaced,
) -> Vec<Result<Outcome, ActionError>> {
    let Some(name) = entries.first().filter(|_| entries.len() > 1).map(|entry| entry.bot().to_owned()) else {
        return Vec::new();
    };
    let (Some(adapter), bot, now) = (outbox.cx.bots.adapter(&name), outbox.bot(&name), outbox.cx.clock.now()) else {
        return Vec::new();
    };
    if outbox.is_leaving()
        || bot.breaker.reason().is_some()
        || bot.chain_count() > 0
        // Each attempt at such an action is recorded by itself.
        || entries.iter().any(|entry| is_recorded(entry, &**adapter))
        // A reference to a message among them can be resolved only after that message has been
        // sent.
        || entries.iter_mut().any(|entry| resolve(outbox, entry).is_err())
        || entries.iter().any(|entry| has_files_to_fetch(&entry.action) || entry.expires.is_some_and(|at| at <= now))
    {
        return Vec::new();
    }
    let entries = entries.iter().filter(|entry| !replaced.contains_key(&entry.position));
    let actions: Vec<_> = entries.map(|entry| (&entry.action, &entry.key)).collect();
    // Log lines of the adapter carry the numbers of the events that caused the actions.
    let seqs: Vec<u64> = actions.iter().map(|(_, key)| key.run.seq).collect();
    let span = tracing::info_span!("actions", bot = name, ?seqs);
    // A panic in an adapter counts as a transient failure: each entry is then tried by itself.
    let performed = AssertUnwindSafe(adapter.perform_all(&actions)).catch_unwind();
    performed.instrument(span).await.unwrap_or_default()
}
