//! The interface between platforms and the engine.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Bot, BotName, Capabilities, CommandSpec, ContentLimits, Event, Member,
    MessageId, Millis, Outcome, Permission, Rank, User, UserId,
};
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;

/// A platform or the room service: turns what happens there into events, and performs actions.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// Returns the capabilities of the platform, which never change.
    fn capabilities(&self) -> &Capabilities;

    /// Returns the limits of a message's content, which never change.
    fn content_limits(&self) -> ContentLimits {
        ContentLimits::NONE
    }

    /// Receives events until `context` signals shutdown.
    ///
    /// The supervisor starts it again if it returns before that, with or without an error.
    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError>;

    /// Performs one action.
    ///
    /// `key` is the same for all attempts; it is passed to the platform as an idempotency key where
    /// that accepts one.
    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError>;

    /// Finds out what earlier attempts have done, so that [`Adapter::perform`] does not repeat it.
    ///
    /// Called before an action is performed that an attempt with an unknown outcome, at `since` or
    /// later, may have performed: an earlier process may have made it, or the response was lost. The
    /// default does nothing, for platforms that recognise a repetition or cannot be asked. An error
    /// counts as one of the attempt.
    async fn look_up(&self, _action: &Action, _key: &ActionKey, _since: Millis) -> Result<(), ActionError> {
        Ok(())
    }

    /// Whether failed attempts of this process have performed a part of the action.
    fn is_partly_done(&self, key: &ActionKey) -> bool {
        let _unknown = key;
        false
    }

    /// Performs actions of one room in order until one fails.
    ///
    /// Returns a result for each action that was tried. The default tries none. An adapter that
    /// keeps the order by itself may have several in flight, and may therefore also have performed
    /// some after one that failed. All results are reported together, so an adapter that needs a
    /// while for each action does not override this.
    async fn perform_all(&self, _actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        Vec::new()
    }

    /// Whether somebody waits for the answers to a message.
    ///
    /// Asked for messages in direct rooms. [`Adapter::finished`] is then called for the message too.
    fn awaits_answers(&self, event: &Event) -> bool {
        let _unknown = event;
        false
    }

    /// Called when all runs of an event, and all actions that they asked for, are complete.
    ///
    /// Users who still wait for an answer to it will not get one, and can be released. Called for
    /// interactions, and for messages whose answers are awaited, with what was derived from them. A
    /// run that waits for the next message of the user counts as complete.
    async fn finished(&self, event: &Event) {
        let _unanswered = event;
    }

    /// Whether the adapter performs actions within this process, by rows that it writes through its sink.
    ///
    /// It is then handed actions before their run is durable: see [`Adapter::commits_with_run`].
    fn is_local(&self) -> bool {
        false
    }

    /// Whether the whole effect of an action is rows that the adapter writes through its sink.
    ///
    /// Such an action is performed before its run is durable, so that both share a commit. Nothing
    /// of it may be shown before its rows are durable.
    fn commits_with_run(&self, action: &Action) -> bool {
        let _elsewhere = action;
        false
    }

    /// Returns the id that the message of `key` will have, if the adapter assigns the ids.
    ///
    /// The engine then need not remember which id belongs to which key.
    fn message_id(&self, key: &ActionKey) -> Option<MessageId>;

    /// Fetches an attachment of a message, to send it to another platform.
    ///
    /// `url` is the address from the event. Returns an error for files of more than `bytes_max` bytes.
    /// Fetches only files that the platform itself stores, since `url` comes from a script.
    async fn file(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, ActionError> {
        let _unknown = (url, bytes_max);
        Err(ActionError::Rejected("attachments of this platform cannot be sent to another one".to_owned()))
    }

    /// Returns a user as a member of the place of an event, without asking the platform.
    fn member(&self, place: &Event, user: &UserId) -> Option<Member> {
        let _unknown = (place, user);
        None
    }

    /// Returns the rank of a user in the place of an event, without asking the platform.
    ///
    /// `None` for `user` asks for the bot's own rank. Returns `None` where the platform has no
    /// ranks or the rank is not known.
    fn rank(&self, place: &Event, user: Option<&UserId>) -> Option<Rank> {
        let _unknown = (place, user);
        None
    }

    /// Whether `user` is the bot's own account.
    fn is_own(&self, user: &UserId) -> bool {
        let _unknown = user;
        false
    }

    /// Returns the readable form of a mention in the place of an event.
    ///
    /// Does not ask the platform. For example `@Moderator` for `<@&12>`, `#general` for `<#34>`.
    fn mentioned(&self, place: &Event, mention: &str) -> Option<String> {
        let _unknown = (place, mention);
        None
    }

    /// Returns the user with a name or mention in the place of an event.
    ///
    /// Does not ask the platform. Returns `None` for a name that several users share there.
    fn user_named(&self, place: &Event, name: &str) -> Option<User> {
        let _unknown = (place, name);
        None
    }

    /// Returns the adapter's own counters and gauges, for the metrics.
    fn figures(&self) -> Vec<Metric> {
        Vec::new()
    }
}

/// A counter or gauge of an adapter, for the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// The name, without the common prefix. One name may occur several times with different labels.
    pub name: &'static str,
    /// The help text of the metric.
    pub help: &'static str,
    /// Labels, as pairs of name and value.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The current value.
    pub value: u64,
    /// Whether it is a counter, which never decreases.
    pub is_count: bool,
}

/// Decisions for built-in platforms: whether a message may be delivered, and permissions.
#[async_trait]
pub trait Gate: Send + Sync {
    /// Asks the scripts that have a `before_message` hook, and returns their verdict.
    async fn before_message(&self, event: Event) -> Verdict;

    /// Returns the permission of the event's author, including roles and names mapped in bots.yaml.
    fn permission(&self, event: &Event) -> Permission;
}

/// The verdict on a message that is about to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Deliver it unchanged.
    Pass,
    /// Deliver it with this text.
    Change(String),
    /// Do not deliver it, for this reason.
    Refuse(String),
}

/// The context in which an adapter runs.
#[derive(Clone)]
pub struct AdapterContext {
    /// The bot that the adapter connects.
    pub bot: Bot,
    /// Receives the adapter's events.
    pub sink: Arc<dyn EventSink>,
    /// Checks messages before they are delivered.
    pub gate: Arc<dyn Gate>,
    /// The commands of this bot, updated whenever they change.
    pub commands: watch::Receiver<Arc<Vec<CommandSpec>>>,
    /// Receives the state of the connection, for health checks and the console.
    pub condition: watch::Sender<Condition>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Signals shutdown.
    pub shutdown: Shutdown,
}

/// The state of a bot's connection, as its adapter reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// It is connecting.
    #[default]
    Starting,
    /// It is connected.
    Up,
    /// It has lost the connection, for this reason, and tries again.
    Down(String),
    /// The platform refuses the bot (for example its token), for this reason.
    ///
    /// It is tried again after longer delays.
    Refused(String),
}

/// The consumer of an adapter's events.
pub trait EventSink: Send + Sync {
    /// Appends an event to the journal, in order, together with rows of the adapter.
    ///
    /// Event and rows are committed together; the rows must be unconditional. The receipt resolves
    /// once both are durable. Acknowledge the event to the platform only then.
    fn emit(&self, event: Event, rows: Batch) -> Receipt;

    /// Does the same as [`EventSink::emit`] for events that are not acknowledged to the platform.
    ///
    /// The commit may be delayed by some milliseconds to share an fsync, unless a script handles
    /// the event.
    fn emit_deferred(&self, event: Event, rows: Batch) -> Receipt {
        self.emit(event, rows)
    }

    /// Writes rows that belong to no event, in order with the events. `reason` says why, in a few words.
    ///
    /// The rows may be conditional: if their conditions do not hold when their turn comes, none is
    /// written and the receipt resolves to [`EmitError::Refused`]. Without any rows, the receipt
    /// resolves once everything that was handed over before is durable.
    fn write(&self, bot: &BotName, reason: &'static str, rows: Batch) -> Receipt;

    /// Does the same as [`EventSink::write`] for rows that nobody waits for.
    ///
    /// The commit may be delayed by some milliseconds to share an fsync.
    fn write_deferred(&self, bot: &BotName, reason: &'static str, rows: Batch) -> Receipt {
        self.write(bot, reason, rows)
    }
}

/// Confirms that an event is durable. Dropping it does not withdraw the event.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<u64, EmitError>>);

impl Receipt {
    /// Returns the sender of the event's sequence number, and the receipt that resolves to it.
    #[must_use]
    pub fn channel() -> (oneshot::Sender<Result<u64, EmitError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Receipt {
    /// Blocks until the event or the rows are durable or refused. In async code, await the receipt instead.
    ///
    /// # Errors
    /// If they were not accepted.
    pub fn wait(self) -> Result<u64, EmitError> {
        self.0.blocking_recv().unwrap_or(Err(EmitError::Stopped))
    }
}

impl Future for Receipt {
    type Output = Result<u64, EmitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(EmitError::Stopped)))
    }
}

/// The reason why an event was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The daemon is shutting down.
    #[error("the daemon is stopping")]
    Stopped,
    /// The store accepts no writes at present.
    ///
    /// The event is lost unless the adapter emits it again.
    #[error("nothing can be saved at present: {0}")]
    Stalled(String),
    /// The conditions of the rows do not hold.
    #[error("the conditions of the write do not hold any more")]
    Refused,
}

impl From<EmitError> for ActionError {
    /// Converts the failure of a write that precedes an action: it waits until the store takes writes.
    fn from(error: EmitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The reason why an adapter stopped.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdapterError {
    /// The platform refuses the bot: an invalid token, missing permissions.
    ///
    /// Retried after long delays, since such a refusal may be temporary. Health reports name the
    /// bot.
    #[error("{0}")]
    Refused(String),
    /// Any other failure, which the next attempt may not meet.
    #[error("{0}")]
    Lost(String),
}

/// The receiver of the shutdown signal. All clones receive the same signal.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Returns the sender and the receiver of a shutdown signal.
    ///
    /// Sending `true` or dropping the sender requests shutdown.
    #[must_use]
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether shutdown has been requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns when shutdown has been requested.
    pub async fn requested(&mut self) {
        // An error means that the sender was dropped, which requests shutdown too.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
