//! One lane of the outbox: performs its actions one after another, again after a passing fault, and each once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use futures_util::FutureExt;
use palabre_model::{Action, ActionError, ActionKey, MessageId, MessageRef, Outcome, RoomId};
use palabre_store::Result as StoreResult;

use crate::outbox::{Entry, Outbox, Settled, Unperformed};
use crate::passed_on::{has_files_elsewhere, with_files};
use crate::tables::{SENDERS, SENT_MESSAGES};

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
            if !perform_some(&outbox, some).await {
                return;
            }
        }
    }
}

/// Performs entries in order. `false` at shutdown, with what is done reported and the rest left.
async fn perform_some(outbox: &Outbox, mut entries: Vec<Entry>) -> bool {
    // Somebody may press a button of what is there before it is known what the platform calls it.
    let makes = entries.iter().filter(|entry| entry.action.kind().makes_something());
    let _sending: Vec<_> = makes
        .filter(|entry| {
            let adapter = outbox.platforms.adapter(entry.action.room().bot());
            adapter.is_some_and(|adapter| adapter.message_id(&entry.key).is_none())
        })
        .map(|entry| outbox.platforms.just_sent.sending(&entry.key, entry.action.room()))
        .collect();
    let mut first = together(outbox, &mut entries).await.into_iter();
    let mut settled = Vec::new();
    for mut entry in entries {
        let result = match first.next() {
            Some(Ok(outcome)) => Ok(remembered(outbox, &entry, outcome)),
            // Those that failed, and those that were not tried, one by one and with patience.
            Some(Err(_)) | None => {
                // Each is noted as soon as it is done: what is done and not noted is done again after a crash.
                outbox.settle(std::mem::take(&mut settled));
                match perform(outbox, &mut entry).await {
                    Some(result) => result,
                    None => return false,
                }
            }
        };
        settled.push(Settled { entry, result });
    }
    outbox.settle(settled);
    true
}

/// Performs the entries together, where the adapter does so: as many results as were tried.
async fn together(outbox: &Outbox, entries: &mut [Entry]) -> Vec<Result<Outcome, ActionError>> {
    let adapter = entries.first().and_then(|entry| outbox.platforms.adapter(entry.action.room().bot()));
    let Some(adapter) = adapter.filter(|_| entries.len() > 1) else {
        return Vec::new();
    };
    if outbox.leave.load(Acquire)
        // What is about a message that is among them is resolved once that is out.
        || entries.iter_mut().any(|entry| resolve(outbox, entry).is_err())
        || entries.iter().any(|entry| has_files_elsewhere(&entry.action))
    {
        return Vec::new();
    }
    let actions: Vec<_> = entries.iter().map(|entry| (&entry.action, &entry.key)).collect();
    // A panic in an adapter is one more passing fault: each is then tried by itself.
    AssertUnwindSafe(adapter.perform_all(&actions)).catch_unwind().await.unwrap_or_default()
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
    if let Err(reason) = resolve(outbox, entry) {
        return gone(reason);
    }
    let (mut tries, mut obeyed) = (0, 0);
    // With its files, which are fetched once.
    let mut filled: Option<Action> = None;
    loop {
        if outbox.leave.load(Acquire) || (outbox.shutdown.is_requested() && tries > 0) {
            return None;
        }
        // A panic in an adapter is one more passing fault: the lane goes on, and the action is not lost.
        let performing = async {
            if filled.is_none() {
                filled = with_files(outbox, &entry.action, tries).await?;
            }
            adapter.perform(filled.as_ref().unwrap_or(&entry.action), &entry.key).await
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

/// Puts the platform's id in the place of "the message that this action sent", and of "that one, if it is the script's own".
fn resolve(outbox: &Outbox, entry: &mut Entry) -> Result<(), String> {
    let (room, script) = (entry.action.room().clone(), &entry.key.script);
    let Some(reference) = entry.action.references() else { return Ok(()) };
    let key = match &*reference {
        MessageRef::Id(_) => return Ok(()),
        MessageRef::Own(id) => {
            let sender = sender(outbox, &room, id).map_err(|error| error.to_string())?;
            if sender.is_none_or(|key| key.script != *script) {
                return Err(format!("the message {id} is none of the script's own"));
            }
            *reference = MessageRef::Id(id.clone());
            return Ok(());
        }
        MessageRef::Sent(key) => key,
    };
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

/// Which action has sent a message, on platforms that name messages themselves.
fn sender(outbox: &Outbox, room: &RoomId, id: &MessageId) -> StoreResult<Option<ActionKey>> {
    if let Some(key) = outbox.platforms.just_sent.key(room, id) {
        return Ok(Some(key));
    }
    let snapshot = outbox.store.snapshot(outbox.clock.now())?;
    Ok(SENDERS.get(&snapshot, &(room.to_string(), id.to_string()))?.and_then(|key| key.parse().ok()))
}
