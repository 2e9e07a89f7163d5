//! One lane of the outbox: performs its actions one after another, again after a passing fault, and each once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use palabre_model::{Action, ActionError, MessageId, MessageRef, Outcome, RoomId};
use palabre_store::Result as StoreResult;

use crate::outbox::{Entry, Outbox, Settled, Unperformed};
use crate::passed_on::{has_files_elsewhere, with_files};
use crate::tables::SENT_MESSAGES;

/// Tries before an action goes to the dead letters; with the pauses below that is about five minutes.
const TRIES: u32 = 12;
/// A platform that asks to wait is obeyed this often, for one action, before it goes to the dead letters.
const OBEYED: u32 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So many actions of one room are handed to an adapter together.
const AT_ONCE: usize = 64;

/// Works until the lane is empty. Ends at shutdown with what is left still pending: the next start finds it.
pub(crate) async fn run(outbox: Arc<Outbox>, room: RoomId) {
    while let Some(mut entries) = outbox.take(&room) {
        while !entries.is_empty() {
            let some: Vec<Entry> = entries.drain(..entries.len().min(AT_ONCE)).collect();
            if perform_some(&outbox, some).await.is_none() {
                return;
            }
        }
    }
}

/// Performs entries in order, and reports them. `None` at shutdown, with the rest left.
async fn perform_some(outbox: &Outbox, mut entries: Vec<Entry>) -> Option<()> {
    let mut first = Vec::new();
    if entries.len() > 1
        && let Some(adapter) = outbox.platforms.adapter(entries[0].action.room().bot())
        // What is about a message that is among them is resolved once that is out.
        && entries.iter_mut().all(|entry| resolve(outbox, &mut entry.action).is_ok())
        && !entries.iter().any(|entry| has_files_elsewhere(&entry.action))
    {
        let actions: Vec<_> = entries.iter().map(|entry| (&entry.action, &entry.key)).collect();
        // A panic in an adapter is one more passing fault: each is then tried by itself.
        first = AssertUnwindSafe(adapter.perform_all(&actions)).catch_unwind().await.unwrap_or_default();
    }
    let mut first = first.into_iter();
    let mut settled = Vec::with_capacity(first.len());
    for mut entry in entries {
        if let Some(Ok(outcome)) = first.next() {
            let result = Ok(remembered(outbox, &entry, outcome));
            settled.push(Settled { entry, result });
            continue;
        }
        // Those that failed, and those that were not tried, one by one and with patience. Each is reported as soon as it is done: the
        // next may have to wait for minutes, and what a crash finds unreported is done again.
        outbox.settle(std::mem::take(&mut settled));
        let result = perform(outbox, &mut entry).await?;
        outbox.settle(vec![Settled { entry, result }]);
    }
    outbox.settle(settled);
    Some(())
}

/// Only what the adapter cannot tell again need be remembered.
fn remembered(outbox: &Outbox, entry: &Entry, outcome: Outcome) -> Option<MessageId> {
    let adapter = outbox.platforms.adapter(entry.action.room().bot())?;
    let id = outcome.message.filter(|_| adapter.message_id(&entry.key).is_none())?;
    outbox.platforms.just_sent.note(&entry.key, entry.action.room(), &id);
    Some(id)
}

/// `None` at shutdown.
async fn perform(outbox: &Outbox, entry: &mut Entry) -> Option<Result<Option<MessageId>, Unperformed>> {
    let gone = |reason: String| Some(Err(Unperformed { reason, is_dead_letter: false }));
    let bot = entry.action.room().bot().to_owned();
    let Some(adapter) = outbox.platforms.adapter(&bot) else {
        return gone(format!("there is no bot named {bot} in bots.yaml any more"));
    };
    if let Err(reason) = resolve(outbox, &mut entry.action) {
        return gone(reason);
    }
    let (mut tries, mut obeyed) = (0, 0);
    loop {
        if outbox.shutdown.is_requested() && tries > 0 {
            return None;
        }
        // A panic in an adapter is one more passing fault: the lane goes on, and the action is not lost.
        let performing = async {
            let action = with_files(&outbox.platforms, &entry.action).await?;
            adapter.perform(&action, &entry.key).await
        };
        let performed = AssertUnwindSafe(performing).catch_unwind().await;
        let performed = performed
            .unwrap_or_else(|_| Err(ActionError::Transient("the adapter failed (a bug of Palabre's)".to_owned())));
        let pause = match performed {
            Ok(outcome) => return Some(Ok(remembered(outbox, entry, outcome))),
            Err(ActionError::RateLimited { retry_after }) if obeyed < OBEYED => {
                obeyed += 1;
                retry_after
            }
            Err(error @ (ActionError::Transient(_) | ActionError::RateLimited { .. })) => {
                tries += 1;
                if tries >= TRIES {
                    let room = entry.action.room();
                    tracing::error!(action = %entry.action.kind(), %room, "given up after {TRIES} tries: {error}");
                    return Some(Err(Unperformed { reason: error.to_string(), is_dead_letter: true }));
                }
                backoff(tries, outbox.entropy.next())
            }
            Err(error) => return gone(error.to_string()),
        };
        let until = outbox.clock.now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let mut shutdown = outbox.shutdown.clone();
        tokio::select! {
            () = outbox.clock.sleep_until(until) => {}
            () = shutdown.requested() => return None,
        }
    }
}

/// Growing pauses, each with up to half of itself added at random, so that lanes that failed together do not come back together.
fn backoff(tries: u32, random: u64) -> Duration {
    let base = (FIRST_PAUSE * 2_u32.saturating_pow(tries - 1)).min(LONGEST_PAUSE);
    base + base.mul_f64((random >> 11) as f64 / (1_u64 << 54) as f64)
}

/// Puts the platform's id in the place of "the message that this action sent".
fn resolve(outbox: &Outbox, action: &mut Action) -> Result<(), String> {
    let room = action.room().clone();
    let Some(reference) = action.references() else { return Ok(()) };
    let MessageRef::Sent(key) = &*reference else { return Ok(()) };
    let named = outbox.platforms.adapter(room.bot()).and_then(|adapter| adapter.message_id(key));
    let named = named.or_else(|| outbox.platforms.just_sent.id(key));
    let remembered = || -> StoreResult<Option<String>> {
        SENT_MESSAGES.get(&outbox.store.snapshot(outbox.clock.now())?, &key.to_string())
    };
    let id = match named {
        Some(id) => id,
        None => match remembered() {
            Ok(Some(id)) => id.into(),
            Ok(None) => return Err(format!("the message {key} was not sent, or so long ago that it is forgotten")),
            Err(error) => return Err(error.to_string()),
        },
    };
    *reference = MessageRef::Id(id);
    Ok(())
}
