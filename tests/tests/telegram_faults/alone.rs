//! The adapter without an engine: events are collected, and rows are kept over restarts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use palabre_platform::{
    Adapter, AdapterContext, AdapterError, Condition, EmitError, EventSink, Gate, Receipt, SeededEntropy, Shutdown,
    SystemClock, Verdict,
};
use palabre_store::Store;
use palabre_telegram::{Config, Pace, Setup, Telegram};
use palabre_tests::commit_rows;
use palabre_tests::telegram::{Limits, Options, StandIn};
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Bot, BotName, Content, Event, EventKind, MessageId, MessageRef, Outcome,
    Permission, RoomId, RunId, UserId,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

const WAIT_MAX: Duration = Duration::from_secs(20);
const PACE: Pace = Pace { per_second: 10_000, per_second_in_chat: 10_000, per_minute_in_group: 100_000 };

struct Heard {
    events: watch::Sender<Vec<Event>>,
    store: Store,
    /// Whether rows are refused that belong to no event.
    is_stalled: AtomicBool,
}

impl EventSink for Heard {
    fn emit(&self, event: Event, rows: Batch) -> Receipt {
        let mut receipt = None;
        // Under the lock: the index in the list is the sequence number, and the store applies
        // batches in order of arrival.
        self.events.send_modify(|events| {
            let seq = u64::try_from(events.len()).unwrap_or(u64::MAX);
            events.push(event);
            receipt = Some(commit_rows(&self.store, rows, seq));
        });
        receipt.unwrap_or_else(|| Receipt::channel().1)
    }

    fn write(&self, _: &BotName, _: &'static str, rows: Batch) -> Receipt {
        if self.is_stalled.load(Ordering::Relaxed) {
            let (answer, receipt) = Receipt::channel();
            answer.send(Err(EmitError::Stalled("the disk is full".to_owned()))).unwrap();
            return receipt;
        }
        commit_rows(&self.store, rows, 0)
    }
}

#[async_trait]
impl Gate for Heard {
    async fn before_message(&self, _: Event) -> Verdict {
        Verdict::Pass
    }

    fn permission(&self, _: &Event) -> Permission {
        Permission::Member
    }
}

/// A bot on the stand-in.
pub(crate) struct Alone {
    pub(crate) telegram: StandIn,
    pub(crate) adapter: Arc<Telegram>,
    pub(crate) condition: watch::Receiver<Condition>,
    heard: Arc<Heard>,
    context: AdapterContext,
    keys: AtomicU64,
    running: JoinSet<Result<(), AdapterError>>,
    _stop: watch::Sender<bool>,
}

impl Alone {
    /// Starts a bot; `None` if Telegram's description is missing.
    pub(crate) async fn start() -> Option<Self> {
        let telegram = StandIn::start_with(Options { limits: Limits::none(), ..Options::default() }).await?;
        Some(Self::on(telegram, Store::in_memory().unwrap(), 0).await)
    }

    /// Continues in another process with the same store.
    pub(crate) async fn restarted(mut self) -> Self {
        self.running.shutdown().await;
        // Everything submitted before is durable afterwards.
        self.heard.store.commit(Batch::default()).await.unwrap();
        let keys = self.keys.load(Ordering::Relaxed);
        Self::on(self.telegram.clone(), self.heard.store.clone(), keys).await
    }

    async fn on(telegram: StandIn, store: Store, keys: u64) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let bot = Bot { name: "tg".into(), platform: "telegram".into() };
        let setup = Setup {
            bot: bot.name.clone(),
            token: telegram.token().to_owned(),
            api: Some(telegram.api().to_owned()),
            config: Config { pace: PACE, ..Config::default() },
            grants: Vec::new(),
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(7)),
        };
        let heard = Arc::new(Heard { events: watch::Sender::default(), store, is_stalled: AtomicBool::new(false) });
        let (stop, shutdown) = Shutdown::channel();
        let sender = watch::Sender::default();
        let condition = sender.subscribe();
        let (_, commands) = watch::channel(Arc::default());
        let context = AdapterContext {
            bot,
            sink: Arc::clone(&heard) as Arc<dyn EventSink>,
            gate: Arc::clone(&heard) as Arc<dyn Gate>,
            commands,
            condition: sender,
            clock: Arc::new(SystemClock),
            shutdown,
        };
        let adapter = Telegram::new(setup).unwrap();
        let (keys, running) = (AtomicU64::new(keys), JoinSet::new());
        let mut alone = Self { telegram, adapter, condition, heard, context, keys, running, _stop: stop };
        alone.runs().await;
        alone
    }

    /// Runs the adapter (again), and returns once it is up.
    pub(crate) async fn runs(&mut self) {
        let (adapter, context) = (Arc::clone(&self.adapter), self.context.clone());
        self.running.spawn(async move { adapter.run(context).await });
        self.is(|condition| *condition == Condition::Up).await;
    }

    /// Waits until the reported condition of the bot fits.
    pub(crate) async fn is(&mut self, fits: impl Fn(&Condition) -> bool) {
        let reported = timeout(WAIT_MAX, self.condition.wait_for(|condition| fits(condition))).await;
        drop(reported.expect("it is reported in time").unwrap());
    }

    /// Waits for the end of the adapter.
    pub(crate) async fn ends(&mut self) -> Result<(), AdapterError> {
        timeout(WAIT_MAX, self.running.join_next()).await.expect("it ends in time").unwrap().unwrap()
    }

    /// Whether it is still running.
    pub(crate) fn still_runs(&mut self) -> bool {
        self.running.try_join_next().is_none()
    }

    /// Refuses rows that belong to no event, or accepts them again.
    pub(crate) fn stalls(&self, is_stalled: bool) {
        self.heard.is_stalled.store(is_stalled, Ordering::Relaxed);
    }

    pub(crate) fn key(&self) -> ActionKey {
        let seq = self.keys.fetch_add(1, Ordering::Relaxed);
        ActionKey { script: "test".into(), run: RunId::hook(seq, 0), index: 0 }
    }

    pub(crate) async fn tries(&self, action: &Action) -> Result<Outcome, ActionError> {
        timeout(WAIT_MAX, self.adapter.perform(action, &self.key())).await.expect("it is answered in time")
    }

    /// Performs an action that must succeed, and returns the id of a new message.
    pub(crate) async fn does(&self, action: &Action) -> Option<MessageId> {
        self.tries(action).await.unwrap_or_else(|error| panic!("{error}: {action:?}")).message
    }

    /// Posts a message in a chat and returns its id.
    pub(crate) async fn says(&self, chat: &str, content: Content) -> MessageId {
        let action = Action::Send { room: self.room(chat), content, reply_to: None };
        self.does(&action).await.expect("a message has an id")
    }

    /// Waits until a message of a user arrives.
    pub(crate) async fn hears(&self, text: &str) -> Event {
        self.event(
            text,
            |event| matches!(&event.kind, EventKind::Message { message } if message.content.text.contains(text)),
        )
        .await
    }

    pub(crate) async fn event(&self, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
        let mut events = self.heard.events.subscribe();
        let found = events.wait_for(|events| events.iter().any(&fits));
        let found = timeout(WAIT_MAX, found).await.unwrap_or_else(|_| panic!("waited in vain for {what}")).unwrap();
        found.iter().find(|event| fits(event)).cloned().expect("it is there")
    }

    pub(crate) fn room(&self, chat: &str) -> RoomId {
        RoomId::new(&self.context.bot.name, &self.telegram.chat(chat).to_string())
    }

    pub(crate) fn user(&self, who: &str) -> UserId {
        UserId::new(&self.context.bot.name, &self.telegram.user(who).to_string())
    }

    /// Checks that the bot violated none of Telegram's rules.
    pub(crate) fn broke_no_rule(&self) {
        assert_eq!(format!("{:#?}", self.telegram.violations()), "[]");
    }
}

/// Returns the id of the message of an event.
pub(crate) fn id_of(event: &Event) -> MessageRef {
    let EventKind::Message { message } = &event.kind else { panic!("no message: {event:?}") };
    MessageRef::Id(message.id.clone())
}
