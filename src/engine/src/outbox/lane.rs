//! One lane of the outbox: the actions of one room and class, one after another, each once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;

use futures_util::FutureExt;
use palabre_model::{ActionError, Outcome, RoomId};

use super::Outbox;
use super::attempt::{self, Attempts, TRIES_IN_LANE, remembered, resolve};
use super::entry::{ChainId, Class, Entry, Settled, Settlement};
use super::merge::{Replaced, replaced};
use crate::passed_on::has_files_elsewhere;

/// So many actions of one room are handed to an adapter together.
const AT_ONCE: usize = 64;

/// Works until the lane is empty. Ends at shutdown with what is left still pending: the next start finds it.
pub(crate) async fn run(outbox: Arc<Outbox>, room: RoomId, class: Class) {
    while let Some(mut entries) = outbox.take(&room, class) {
        let replaced = replaced(&mut entries);
        while !entries.is_empty() {
            let some: Vec<Entry> = entries.drain(..entries.len().min(AT_ONCE)).collect();
            if !perform_some(&outbox, some, &replaced).await {
                return;
            }
        }
    }
}

/// Performs entries in order. `false` at shutdown, with what is done reported and the rest left.
async fn perform_some(outbox: &Arc<Outbox>, mut entries: Vec<Entry>, replaced: &Replaced) -> bool {
    // Somebody may press a button of what is there before it is known what the platform calls it.
    let makes = entries.iter().filter(|entry| entry.action.kind().makes_something());
    let _sending: Vec<_> = makes
        .filter(|entry| {
            let adapter = outbox.platforms.adapter(entry.bot());
            adapter.is_some_and(|adapter| adapter.message_id(&entry.key).is_none())
        })
        .map(|entry| outbox.platforms.just_sent.sending(&entry.key, entry.action.room()))
        .collect();
    let mut first = together(outbox, &mut entries, replaced).await.into_iter();
    let mut settled = Vec::new();
    for mut entry in entries {
        if let Some(by) = replaced.get(&entry.position).cloned() {
            settled.push(Settled { entry, result: Settlement::Replaced { by } });
            continue;
        }
        let result = match first.next() {
            Some(Ok(outcome)) => Settlement::Done(remembered(outbox, &entry, outcome)),
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

/// Performs one entry, or puts it behind those of its script that are retried on their own.
async fn perform(outbox: &Arc<Outbox>, entry: &mut Entry) -> Option<Settlement> {
    let (chain, position) = (ChainId::of(entry), entry.position);
    let bot = outbox.bot(entry.bot());
    if bot.follow(&chain, position) {
        return Some(Settlement::Aside { tries: 0 });
    }
    let attempts = Attempts { before: 0, most: TRIES_IN_LANE };
    let result = attempt::perform(outbox, entry, attempts).await?;
    if let Settlement::Aside { tries } = result {
        outbox.set_aside(chain, position, tries);
    }
    Some(result)
}

/// Performs the entries together, where the adapter does so: as many results as were tried.
async fn together(outbox: &Outbox, entries: &mut [Entry], replaced: &Replaced) -> Vec<Result<Outcome, ActionError>> {
    let Some(name) = entries.first().filter(|_| entries.len() > 1).map(|entry| entry.bot().to_owned()) else {
        return Vec::new();
    };
    let (Some(adapter), bot, now) = (outbox.platforms.adapter(&name), outbox.bot(&name), outbox.clock.now()) else {
        return Vec::new();
    };
    if outbox.leave.load(Acquire)
        || bot.breaker.reason().is_some()
        || bot.chain_count() > 0
        // What is about a message that is among them is resolved once that is out.
        || entries.iter_mut().any(|entry| resolve(outbox, entry).is_err())
        || entries.iter().any(|entry| has_files_elsewhere(&entry.action) || entry.expires.is_some_and(|at| at <= now))
    {
        return Vec::new();
    }
    let entries = entries.iter().filter(|entry| !replaced.contains_key(&entry.position));
    let actions: Vec<_> = entries.map(|entry| (&entry.action, &entry.key)).collect();
    // A panic in an adapter is one more passing fault: each is then tried by itself.
    AssertUnwindSafe(adapter.perform_all(&actions)).catch_unwind().await.unwrap_or_default()
}
