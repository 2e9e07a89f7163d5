//! Performs one action: tries again after transient failures, and gives up after too many.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use palabre_platform::{Adapter, Backoff, EmitError, Entropy, jittered};
use palabre_state::{SENDERS, SENT_MESSAGES};
use palabre_store::Result as StoreResult;
use palabre_types::{Action, ActionError, ActionKey, MessageId, MessageRef, Millis, Outcome, RoomId};
use tracing::Instrument;

use crate::at_most_once;
use crate::attachment_relay::with_files;
use crate::breaker::{Breaker, Pass};
use crate::outbox::{Outbox, STORE_RETRY_DELAY};
use crate::pending_action::{Delivery, PendingAction, Unperformed};

/// Attempts before an action goes to the dead letters; with the delays below, about five minutes.
pub(crate) const ATTEMPTS_MAX: u32 = 12;
/// Attempts before an action leaves its queue to be retried separately: about four seconds.
pub(crate) const ATTEMPTS_IN_QUEUE: u32 = 5;
/// Rate limits that are waited for, for one action, before another one counts as a failure.
const RATE_LIMIT_WAITS_MAX: u32 = 100;
const RETRY_BACKOFF: Backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(60));

/// The number of earlier attempts at an action, and the maximum.
#[derive(Clone, Copy)]
pub(crate) struct AttemptLimits {
    pub(crate) before: u32,
    pub(crate) max: u32,
}

/// Performs an action. Returns `None` at shutdown.
///
/// Log lines during the attempts, also of the adapter, carry the number of the causing event.
pub(crate) async fn perform(outbox: &Outbox, entry: &mut PendingAction, limits: AttemptLimits) -> Option<Delivery> {
    let span =
        tracing::info_span!("action", script = %entry.key.script, seq = entry.key.run.seq, index = entry.key.index);
    attempt_until_done(outbox, entry, limits).instrument(span).await
}

async fn attempt_until_done(outbox: &Outbox, entry: &mut PendingAction, limits: AttemptLimits) -> Option<Delivery> {
    let bot = entry.bot().to_owned();
    if entry.is_at_most_once() && outbox.had_begun(entry.position) {
        return Some(uncertain("the daemon ended while it was being sent"));
    }
    let Some(adapter) = outbox.cx.bots.adapter(&bot) else {
        return Some(refused(format!("there is no bot named {bot} in bots.yaml any more")));
    };
    let breaker = &outbox.bot(&bot).breaker;
    let mut attempts = Attempts {
        outbox,
        bot: &bot,
        adapter: &**adapter,
        breaker,
        is_recorded: at_most_once::is_recorded(entry, &**adapter),
        limits,
        failed: limits.before,
        rate_limit_waits: 0,
        filled: None,
    };
    loop {
        if adapter.is_local() && !outbox.until_writable().await {
            return None;
        }
        if outbox.is_leaving() || (outbox.cx.shutdown.is_requested() && attempts.failed > limits.before) {
            return None;
        }
        let probe = match breaker.pass(outbox.cx.clock.as_ref(), &outbox.cx.shutdown, entry.expires).await {
            Pass::Go(probe) => probe,
            Pass::Expired => return Some(refused("it expired: it could not be done in time".to_owned())),
            Pass::Stop => return None,
        };
        let next = match resolve(outbox, entry) {
            Ok(()) => attempts.try_once(entry).await,
            Err(Unresolved::Never(reason)) => Next::End(refused(reason)),
            // The store cannot be read at present: that makes the action neither done nor failed.
            Err(Unresolved::NotNow(reason)) => {
                tracing::error!(bot, "cannot look up the message that an action refers to; trying again: {reason}");
                Next::Wait(STORE_RETRY_DELAY)
            }
        };
        match next {
            Next::End(delivery) => return Some(delivery),
            // The next `pass` waits.
            Next::Pass => {}
            Next::Wait(pause) => {
                drop(probe);
                if !outbox.wait(pause).await {
                    return None;
                }
            }
        }
    }
}

/// Returns the delivery of an action that is not tried again.
fn refused(reason: String) -> Delivery {
    Delivery::Failed(Unperformed { reason, is_dead_letter: false })
}

/// Returns the delivery of a message that may have been sent, and must not be sent twice.
fn uncertain(reason: &str) -> Delivery {
    refused(format!("it may or may not have been sent, and is not sent again: {reason}"))
}

/// Returns the time since which an attempt may have performed the action, if nobody knows.
fn uncertain_since(outbox: &Outbox, entry: &PendingAction) -> Option<Millis> {
    if outbox.is_left_over(entry.position) { Some(entry.requested) } else { entry.uncertain_since }
}

/// The reason why an attempt has failed.
enum Failure {
    Action(ActionError),
    /// The attempt could not be recorded, and was not made.
    Store(EmitError),
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        Self::Action(error)
    }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Self {
        Self::Store(error)
    }
}

/// The consequence of an attempt.
enum Next {
    /// Nothing: the action is done or given up.
    End(Delivery),
    /// Another attempt, once the breaker lets it pass.
    Pass,
    /// Another attempt after a delay.
    Wait(Duration),
}

/// The attempts at one action.
struct Attempts<'o> {
    outbox: &'o Outbox,
    bot: &'o str,
    adapter: &'o dyn Adapter,
    breaker: &'o Breaker,
    /// Whether each attempt is recorded before it begins, and none follows an uncertain one.
    is_recorded: bool,
    limits: AttemptLimits,
    /// Number of failed attempts, including earlier ones.
    failed: u32,
    rate_limit_waits: u32,
    /// The action with its files, which are fetched once.
    filled: Option<Action>,
}

impl Attempts<'_> {
    /// Tries the action once, and decides what follows.
    async fn try_once(&mut self, entry: &mut PendingAction) -> Next {
        let began = self.outbox.cx.clock.now();
        // A panic in an adapter counts as a temporary failure: the queue continues, and the action
        // is not lost.
        let performed = AssertUnwindSafe(self.perform(entry)).catch_unwind().await;
        let is_bug = performed.is_err();
        let bug = || ActionError::Uncertain("the adapter failed (a bug in Palabre)".to_owned());
        match performed.unwrap_or_else(|_| Err(bug().into())) {
            Ok(outcome) => {
                self.breaker.answered(self.bot);
                Next::End(Delivery::Done(remembered(self.outbox, entry, outcome)))
            }
            Err(Failure::Store(error)) => {
                tracing::error!(bot = self.bot, "cannot record that an action begins; trying again: {error}");
                Next::Wait(STORE_RETRY_DELAY)
            }
            Err(Failure::Action(ActionError::RateLimited { retry_after }))
                if self.rate_limit_waits < RATE_LIMIT_WAITS_MAX =>
            {
                self.breaker.answered(self.bot);
                self.rate_limit_waits += 1;
                self.withdraw(entry).await;
                Next::Wait(retry_after)
            }
            Err(Failure::Action(error)) if error.is_temporary() => {
                if matches!(error, ActionError::Uncertain(_)) {
                    entry.uncertain_since.get_or_insert(began);
                }
                self.after_failure(entry, &error, is_bug).await
            }
            Err(Failure::Action(error)) => {
                self.breaker.answered(self.bot);
                Next::End(refused(error.to_string()))
            }
        }
    }

    /// Performs the action, after everything that has to precede it.
    async fn perform(&mut self, entry: &PendingAction) -> Result<Outcome, Failure> {
        if self.filled.is_none() {
            self.filled = with_files(&self.outbox.cx.bots, &entry.action, self.failed).await?;
        }
        if self.is_recorded {
            at_most_once::begin(self.outbox, entry).await?;
        } else if let Some(since) = uncertain_since(self.outbox, entry) {
            let looked_up = self.adapter.look_up(&entry.action, &entry.key, since).await;
            looked_up.map_err(ActionError::of_preparation)?;
        }
        Ok(self.adapter.perform(self.filled.as_ref().unwrap_or(&entry.action), &entry.key).await?)
    }

    /// Removes the record of an attempt that has performed nothing.
    async fn withdraw(&self, entry: &PendingAction) {
        if self.is_recorded && !self.adapter.is_partly_done(&entry.key) {
            at_most_once::withdraw(self.outbox, entry).await;
        }
    }

    /// Counts a temporary failure, unless the platform is away, and decides what follows.
    async fn after_failure(&mut self, entry: &PendingAction, error: &ActionError, is_bug: bool) -> Next {
        let cx = &self.outbox.cx;
        let is_away = matches!(error, ActionError::Unavailable(_)) || !(is_bug || cx.bots.is_up(self.bot));
        let reason = error.to_string();
        let is_held_back = self.breaker.failed(&entry.key, is_away, cx.clock.now(), &reason, self.bot);
        match error {
            ActionError::Uncertain(reason) if self.is_recorded => return Next::End(uncertain(reason)),
            _ => self.withdraw(entry).await,
        }
        if is_held_back {
            return Next::Pass;
        }
        self.failed += 1;
        let (kind, room) = (entry.action.kind(), entry.action.room());
        if self.failed == self.limits.before + 1 {
            tracing::warn!(action = %kind, %room, script = %entry.key.script, "failed; trying again: {error}");
        }
        if self.failed >= ATTEMPTS_MAX {
            tracing::error!(action = %kind, %room, "given up after {ATTEMPTS_MAX} attempts: {error}");
            return Next::End(Delivery::Failed(Unperformed { reason, is_dead_letter: true }));
        }
        if self.failed >= self.limits.max {
            return Next::End(Delivery::Chained { attempts: self.failed });
        }
        Next::Wait(retry_delay(self.failed, &*cx.entropy))
    }
}

/// Returns the delay after failed attempts: it grows, and up to half of it is added at random.
///
/// The random part keeps queues that failed together from coming back together.
pub(crate) fn retry_delay(failed: u32, entropy: &dyn Entropy) -> Duration {
    jittered(RETRY_BACKOFF.delay(failed), 1.0..1.5, entropy)
}

/// Records the id of a message, unless the adapter can derive it from the action key.
pub(crate) fn remembered(outbox: &Outbox, entry: &PendingAction, outcome: Outcome) -> Option<MessageId> {
    let adapter = outbox.cx.bots.adapter(entry.bot())?;
    let id = outcome.message.filter(|_| adapter.message_id(&entry.key).is_none())?;
    outbox.cx.recent_deliveries.record(&entry.key, entry.action.room(), &id);
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
pub(crate) fn resolve(outbox: &Outbox, entry: &mut PendingAction) -> Result<(), Unresolved> {
    let (room, script) = (entry.action.room().clone(), &entry.key.script);
    let Some(reference) = entry.action.reference_mut() else { return Ok(()) };
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
    let named = outbox.cx.bots.adapter(room.bot()).and_then(|adapter| adapter.message_id(key));
    let named = named.or_else(|| outbox.cx.recent_deliveries.id(key));
    let id = match named {
        Some(id) => Some(id),
        None => {
            let snapshot = outbox.cx.store.snapshot(outbox.cx.clock.now())?;
            SENT_MESSAGES.get(&snapshot, &key.to_string())?.map(MessageId::from)
        }
    };
    let id = id.ok_or_else(|| Unresolved::Never(format!("the message {key} was not sent, or more than 7 days ago")))?;
    *reference = MessageRef::Id(id);
    Ok(())
}

/// Returns the action that sent a message, on platforms that assign ids themselves.
fn sender(outbox: &Outbox, room: &RoomId, id: &MessageId) -> StoreResult<Option<ActionKey>> {
    if let Some(key) = outbox.cx.recent_deliveries.key(room, id) {
        return Ok(Some(key));
    }
    let snapshot = outbox.cx.store.snapshot(outbox.cx.clock.now())?;
    Ok(SENDERS.get(&snapshot, &(room.to_string(), id.to_string()))?.and_then(|key| key.parse().ok()))
}
