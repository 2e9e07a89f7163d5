//! What a platform is to the engine.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use crate::{
    Action, ActionError, ActionKey, Batch, Bot, Capabilities, Clock, CommandSpec, ContentLimits, Event, Member,
    MessageId, Outcome, Permission, Rank, User, UserId,
};

/// A platform, or the room service: turns what happens there into events, and performs actions.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// What it can do; the same for its whole life.
    fn capabilities(&self) -> &Capabilities;

    /// Returns how much a message may have; the same for its whole life.
    fn content_limits(&self) -> ContentLimits {
        ContentLimits::NONE
    }

    /// Receives until `context` says to stop. Returning an error makes the supervisor start it again, unless the error is final.
    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError>;

    /// Performs one action. `key` stays the same over repetitions; where the platform takes such a thing, it goes along.
    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError>;

    /// Performs actions of one room, in order, until one fails: as many results as were tried, by itself none. An adapter that keeps
    /// the order by itself may have several on their way at once, and then may also have performed some behind one that failed. They
    /// count as done only together, so one that takes its time for each leaves this alone.
    async fn perform_all(&self, _actions: &[(&Action, &ActionKey)]) -> Vec<Result<Outcome, ActionError>> {
        Vec::new()
    }

    /// Told once the runs that an event has begun are over and all that they wanted is done. Whoever waits there for an answer that did
    /// not come waits in vain, and need not be left waiting.
    async fn finished(&self, event: &Event) {
        let _unanswered = event;
    }

    /// The id that the message of `key` will have, where this adapter names messages itself. The engine then need not
    /// remember which id came of which key.
    fn message_id(&self, key: &ActionKey) -> Option<MessageId>;

    /// A file that came with a message, by the address that the event gave it: to be passed on to another platform. At most
    /// `most` bytes. Only what the platform itself keeps is fetched, since scripts hand the address over.
    async fn file(&self, url: &str, most: usize) -> Result<Vec<u8>, ActionError> {
        let _unknown = (url, most);
        Err(ActionError::Rejected("files of this platform cannot be passed on".to_owned()))
    }

    /// What a person is where an event happened, as far as it can be told without asking the platform.
    fn member(&self, around: &Event, user: &UserId) -> Option<Member> {
        let _unknown = (around, user);
        None
    }

    /// How high a person stands where an event happened by the platform's own order, as far as it can be told without asking the
    /// platform; `None` for `user` asks for the bot's own rank. `None` where the platform has no ranks, or does not say.
    fn rank(&self, around: &Event, user: Option<&UserId>) -> Option<Rank> {
        let _unknown = (around, user);
        None
    }

    /// Whether that is the bot's own account.
    fn is_own(&self, user: &UserId) -> bool {
        let _unknown = user;
        false
    }

    /// Returns what a mention in a text says to people, where an event happened: `@Moderator` for `<@&12>`, `#general` for `<#34>`. As far
    /// as it can be told without asking the platform.
    fn mentioned(&self, around: &Event, mention: &str) -> Option<String> {
        let _unknown = (around, mention);
        None
    }

    /// The person whom somebody means by a name or a mention where an event happened, as far as it can be told without asking the
    /// platform. A name that several go by there means nobody.
    fn user_named(&self, around: &Event, name: &str) -> Option<User> {
        let _unknown = (around, name);
        None
    }

    /// What it counts and measures itself, for the metrics.
    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

/// A figure of an adapter's own, for the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The name, to which a prefix is added; the same figure with other labels has the same name.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// What tells it from others of that name.
    pub labels: Vec<(&'static str, &'static str)>,
    /// How much it is.
    pub value: u64,
    /// Whether it only grows.
    pub is_count: bool,
}

/// What a platform of our own asks: whether a message may be delivered, and who may do what.
#[async_trait]
pub trait Gate: Send + Sync {
    /// What the scripts say to it, after all of them that have a hook for it were asked.
    async fn before_message(&self, event: Event) -> Verdict;

    /// How much whoever an event is of may do, with what bots.yaml says of their roles and names.
    fn permission(&self, event: &Event) -> Permission;
}

/// What becomes of a message that is about to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as it is.
    Pass,
    /// It says this instead.
    Change(String),
    /// It is not delivered, for this reason.
    Refuse(String),
}

/// What an adapter gets to run with.
#[derive(Clone)]
pub struct AdapterContext {
    /// The bot that it speaks for.
    pub bot: Bot,
    /// Where events go.
    pub sink: Arc<dyn EventSink>,
    /// Where messages are shown before they are delivered.
    pub gate: Arc<dyn Gate>,
    /// The commands that people of this bot have, as they are now and whenever they change.
    pub commands: watch::Receiver<Arc<Vec<CommandSpec>>>,
    /// Where the adapter reports how the bot is, for health and the console.
    pub condition: watch::Sender<Condition>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// How a bot is, as its adapter reports it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Condition {
    /// It connects.
    #[default]
    Starting,
    /// It is connected.
    Up,
    /// It has lost the platform and tries again; with the reason.
    Down(String),
    /// The platform refuses it (a token that is not taken), with the reason; it tries again slowly.
    Refused(String),
}

/// Where events go.
pub trait EventSink: Send + Sync {
    /// Hands over an event, in order, with rows of the adapter's own that are committed together with it. Rows must be
    /// unconditional. The receipt answers once both are durable; only then may the platform be told.
    fn emit(&self, event: Event, rows: Batch) -> Receipt;

    /// The same for an event that the platform is not told of being durable: the commit may wait some milliseconds for company, unless a
    /// script has something to do.
    fn emit_unhurried(&self, event: Event, rows: Batch) -> Receipt {
        self.emit(event, rows)
    }
}

/// The answer to an event that is on its way into the journal. Dropping it takes nothing back.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<u64, EmitError>>);

impl Receipt {
    /// A receipt and the end that answers it with the event's sequence number.
    #[must_use]
    pub fn channel() -> (oneshot::Sender<Result<u64, EmitError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }
}

impl Future for Receipt {
    type Output = Result<u64, EmitError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(EmitError::Stopped)))
    }
}

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmitError {
    /// The daemon is on its way out.
    #[error("the daemon is stopping")]
    Stopped,
    /// The store takes nothing at present. The event is not kept; the platform should offer it again.
    #[error("nothing can be saved at present: {0}")]
    Stalled(String),
}

/// Why an adapter ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AdapterError {
    /// The platform refuses the bot: a token that is not taken, rights that are missing. Tried again slowly, since such a refusal may
    /// be temporary; shown in health by name.
    #[error("{0}")]
    Refused(String),
    /// It may work next time.
    #[error("{0}")]
    Lost(String),
}

/// Says when to stop. Clones hear the same word.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// The word's ears, and the mouth: sending `true`, or dropping it, is the word.
    #[must_use]
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Whether the word has been said.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Returns when it has.
    pub async fn requested(&mut self) {
        // An error means that the mouth is gone, which is the word too.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
