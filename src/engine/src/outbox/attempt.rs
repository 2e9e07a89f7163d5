//! Performs one action: tries again after transient failures, and gives up after too many.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use futures_util::FutureExt;
use palabre_model::{Action, ActionError, ActionKey, MessageId, MessageRef, Outcome, RoomId};
use palabre_store::Result as StoreResult;

use super::Outbox;
use super::breaker::Pass;
use super::entry::{Delivery, Entry, Unperformed};
use crate::attachment_relay::with_files;
use crate::tables::{SENDERS, SENT_MESSAGES};

/// Attempts before an action goes to the dead letters; with the delays below, about five minutes.
pub(crate) const ATTEMPTS_MAX: u32 = 12;
/// Attempts before an action leaves its queue to be retried separately: about four seconds.
pub(crate) const ATTEMPTS_IN_QUEUE: u32 = 5;
/// Rate limits that are waited for, for one action, before another one counts as a failure.
const RATE_LIMIT_WAITS_MAX: u32 = 100;
const RETRY_DELAY_FIRST: Duration = Duration::from_millis(250);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(60);

/// The number of earlier attempts at an action, and the maximum.
#[derive(Clone, Copy)]
pub(crate) struct AttemptLimits {
    pub(crate) before: u32,
    pub(crate) max: u32,
}

/// Performs an action. Returns `None` at shutdown.
pub(crate) async fn perform(outbox: &Outbox, entry: &mut Entry, limits: AttemptLimits) -> Option<Delivery> {
    let gone = |reason: String| Some(Delivery::Failed(Unperformed { reason, is_dead_letter: false }));
    let name = entry.bot().to_owned();
    let Some(adapter) = outbox.platforms.adapter(&name) else {
        return gone(format!("there is no bot named {name} in bots.yaml any more"));
    };
    let bot = outbox.bot(&name);
    let (mut attempts, mut rate_limit_waits) = (limits.before, 0);
    // The action with its files, which are fetched once.
    let mut filled: Option<Action> = None;
    loop {
        if outbox.leave.load(Acquire) || (outbox.shutdown.is_requested() && attempts > limits.before) {
            return None;
        }
        let probe = match bot.breaker.pass(outbox.clock.as_ref(), &outbox.shutdown, entry.expires).await {
            Pass::Go(probe) => probe,
            Pass::Expired => return gone("it expired: it could not be done in time".to_owned()),
            Pass::Stop => return None,
        };
        match resolve(outbox, entry) {
            Ok(()) => {}
            Err(Unresolved::Never(reason)) => return gone(reason),
            // The store cannot be read at present: that makes the action neither done nor failed.
            Err(Unresolved::NotNow(reason)) => {
                tracing::error!(
                    bot = name,
                    "cannot look up the message that an action refers to; trying again: {reason}"
                );
                drop(probe);
                if !outbox.wait(super::STORE_RETRY_DELAY).await {
                    return None;
                }
                continue;
            }
        }
        // A panic in an adapter counts as a transient failure: the queue continues, and the action
        // is not lost.
        let performing = async {
            if filled.is_none() {
                filled = with_files(outbox, &entry.action, attempts).await?;
            }
            adapter.perform(filled.as_ref().unwrap_or(&entry.action), &entry.key).await
        };
        let performed = AssertUnwindSafe(performing).catch_unwind().await;
        let is_bug = performed.is_err();
        let performed = performed
            .unwrap_or_else(|_| Err(ActionError::Transient("the adapter failed (a bug in Palabre)".to_owned())));
        let pause = match performed {
            Ok(outcome) => {
                bot.breaker.answered(&name);
                return Some(Delivery::Done(remembered(outbox, entry, outcome)));
            }
            Err(ActionError::RateLimited { retry_after }) if rate_limit_waits < RATE_LIMIT_WAITS_MAX => {
                bot.breaker.answered(&name);
                rate_limit_waits += 1;
                retry_after
            }
            Err(
                error @ (ActionError::Transient(_) | ActionError::RateLimited { .. } | ActionError::Unavailable(_)),
            ) => {
                let is_away =
                    matches!(error, ActionError::Unavailable(_)) || !(is_bug || outbox.platforms.is_up(&name));
                let reason = error.to_string();
                if bot.breaker.failed(&entry.key, is_away, outbox.clock.now(), &reason, &name) {
                    // The next `pass` waits.
                    continue;
                }
                attempts += 1;
                if attempts == limits.before + 1 {
                    let (kind, room) = (entry.action.kind(), entry.action.room());
                    tracing::warn!(action = %kind, %room, script = %entry.key.script, "failed; trying again: {error}");
                }
                if attempts >= ATTEMPTS_MAX {
                    let (kind, room) = (entry.action.kind(), entry.action.room());
                    tracing::error!(action = %kind, %room, "given up after {ATTEMPTS_MAX} attempts: {error}");
                    return Some(Delivery::Failed(Unperformed { reason, is_dead_letter: true }));
                }
                if attempts >= limits.max {
                    return Some(Delivery::Chained { attempts });
                }
                backoff(attempts, outbox.entropy.next())
            }
            Err(error) => {
                bot.breaker.answered(&name);
                return gone(error.to_string());
            }
        };
        drop(probe);
        if !outbox.wait(pause).await {
            return None;
        }
    }
}

/// Returns the delay before the next attempt: it grows, and up to half of it is added at random.
///
/// The random part keeps queues that failed together from coming back together.
pub(crate) fn backoff(attempts: u32, random: u64) -> Duration {
    let base = RETRY_DELAY_FIRST.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(RETRY_DELAY_MAX);
    base + base.mul_f64((random >> 11) as f64 / (1_u64 << 54) as f64)
}

/// Records the id of a message, unless the adapter can derive it from the action key.
pub(crate) fn remembered(outbox: &Outbox, entry: &Entry, outcome: Outcome) -> Option<MessageId> {
    let adapter = outbox.platforms.adapter(entry.bot())?;
    let id = outcome.message.filter(|_| adapter.message_id(&entry.key).is_none())?;
    outbox.platforms.recent_deliveries.record(&entry.key, entry.action.room(), &id);
    Some(id)
}

/// A failure to find the message that an action refers to.
pub(crate) enum Unresolved {
    /// There is no such message.
    Never(String),
    /// The store could not be read.
    NotNow(String),
}

impl From<palabre_store::Error> for Unresolved {
    fn from(error: palabre_store::Error) -> Self {
        Self::NotNow(error.to_string())
    }
}

/// Replaces a reference by action key, or to a message of the script's own, by the platform's id.
pub(crate) fn resolve(outbox: &Outbox, entry: &mut Entry) -> Result<(), Unresolved> {
    let (room, script) = (entry.action.room().clone(), &entry.key.script);
    let Some(reference) = entry.action.references() else { return Ok(()) };
    let key = match &*reference {
        MessageRef::Id(_) => return Ok(()),
        MessageRef::Own(id) => {
            if sender(outbox, &room, id)?.is_none_or(|key| key.script != *script) {
                return Err(Unresolved::Never(format!("message {id} was not sent by this script")));
            }
            *reference = MessageRef::Id(id.clone());
            return Ok(());
        }
        MessageRef::Sent(key) => key,
    };
    let named = outbox.platforms.adapter(room.bot()).and_then(|adapter| adapter.message_id(key));
    let named = named.or_else(|| outbox.platforms.recent_deliveries.id(key));
    let id = match named {
        Some(id) => Some(id),
        None => {
            let snapshot = outbox.store.snapshot(outbox.clock.now())?;
            SENT_MESSAGES.get(&snapshot, &key.to_string())?.map(MessageId::from)
        }
    };
    let id = id.ok_or_else(|| Unresolved::Never(format!("the message {key} was not sent, or more than 7 days ago")))?;
    *reference = MessageRef::Id(id);
    Ok(())
}

/// Returns the action that sent a message, on platforms that assign ids themselves.
fn sender(outbox: &Outbox, room: &RoomId, id: &MessageId) -> StoreResult<Option<ActionKey>> {
    if let Some(key) = outbox.platforms.recent_deliveries.key(room, id) {
        return Ok(Some(key));
    }
    let snapshot = outbox.store.snapshot(outbox.clock.now())?;
    Ok(SENDERS.get(&snapshot, &(room.to_string(), id.to_string()))?.and_then(|key| key.parse().ok()))
}
