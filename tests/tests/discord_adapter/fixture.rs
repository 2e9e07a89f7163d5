//! A bot on the stand-in without an engine: events are collected, and rows are stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use palabre_discord::{Config, Discord, Setup};
use palabre_platform::{
    Adapter, AdapterContext, AdapterError, Condition, EventSink, Gate, Receipt, SeededEntropy, Shutdown, SystemClock,
    Verdict,
};
use palabre_store::Store;
use palabre_tests::commit_rows;
use palabre_tests::discord::{Limits, Options, StandIn};
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Bot, BotName, CommandSpec, Event, EventKind, Outcome, Permission, Room,
    RoomId, RoomKind, RunId, Space, SpaceId,
};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The maximum wait before a test fails.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Installations differ by a random value; here by a counter.
static SEED: AtomicU64 = AtomicU64::new(1);

struct Heard {
    events: watch::Sender<Vec<Event>>,
    store: Store,
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

pub(crate) struct Fixture {
    pub(crate) bot: Bot,
    pub(crate) discord: StandIn,
    pub(crate) store: Store,
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) condition: watch::Sender<Condition>,
    heard: Arc<Heard>,
    context: AdapterContext,
    keys: AtomicU64,
    running: JoinSet<Result<(), AdapterError>>,
    _stop: watch::Sender<bool>,
    _commands: watch::Sender<Arc<Vec<CommandSpec>>>,
}

/// Options without rate limits and without pauses between identifies.
pub(crate) fn quick() -> Options {
    Options { identify_window: Duration::ZERO, limits: Limits::none(), ..Options::default() }
}

/// Starts a bot; `None` if Discord's description is missing.
pub(crate) async fn start() -> Option<Fixture> {
    let discord = StandIn::start_with(quick()).await?;
    Some(Fixture::at(&discord, Store::in_memory().unwrap(), Config::default()).await)
}

fn roll() -> CommandSpec {
    serde_json::from_value(serde_json::json!({ "name": "roll", "description": "Rolls a die" })).unwrap()
}

impl Fixture {
    pub(crate) async fn at(discord: &StandIn, store: Store, config: Config) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let bot = Bot { name: "guild".into(), platform: "discord".into() };
        let setup = Setup {
            bot: bot.name.clone(),
            // A token with surrounding characters, as it may be pasted.
            token: format!("\u{feff} Bot {}\r\n", discord.token()),
            api: Some(discord.api().to_owned()),
            config,
            moderators: Vec::new(),
            store: store.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SeededEntropy::new(SEED.fetch_add(1, Ordering::Relaxed))),
        };
        let adapter = Discord::new(setup).unwrap();
        let heard = Arc::new(Heard { events: watch::Sender::default(), store: store.clone() });
        let (stop, shutdown) = Shutdown::channel();
        let (offer, commands) = watch::channel(Arc::new(vec![roll()]));
        let condition = watch::Sender::default();
        let context = AdapterContext {
            bot: bot.clone(),
            sink: Arc::clone(&heard) as Arc<dyn EventSink>,
            gate: Arc::clone(&heard) as Arc<dyn Gate>,
            commands,
            condition: condition.clone(),
            clock: Arc::new(SystemClock),
            shutdown,
        };
        let mut fixture = Self {
            bot,
            discord: discord.clone(),
            store,
            adapter,
            condition,
            heard,
            context,
            keys: AtomicU64::new(0),
            running: JoinSet::new(),
            _stop: stop,
            _commands: offer,
        };
        fixture.runs().await;
        fixture
    }

    /// Starts the adapter as the supervisor does, and waits until it is ready and knows the guild.
    pub(crate) async fn runs(&mut self) {
        let mut condition = self.condition.subscribe();
        self.spawns();
        let is_up = condition.wait_for(|condition| *condition == Condition::Up);
        tokio::time::timeout(WAIT_MAX, is_up).await.expect("it comes up").unwrap();
        let greeting = format!("hello {}", self.heard.events.borrow().len());
        self.discord.says("alice", "random", &greeting);
        self.hears(&greeting).await;
    }

    fn spawns(&mut self) {
        self.condition.send_replace(Condition::Starting);
        let (adapter, context) = (Arc::clone(&self.adapter), self.context.clone());
        self.running.spawn(async move { adapter.run(context).await });
    }

    /// Waits for the end of the adapter.
    pub(crate) async fn ends(&mut self) -> Result<(), AdapterError> {
        let ended = tokio::time::timeout(WAIT_MAX, self.running.join_next()).await;
        ended.expect("it ends").expect("it was running").expect("it did not panic")
    }

    /// Starts an adapter that ends by itself.
    pub(crate) async fn runs_and_ends(&mut self) -> Result<(), AdapterError> {
        self.spawns();
        self.ends().await
    }

    /// Continues in another process with the same store.
    pub(crate) async fn restarts(&mut self) {
        self.running.shutdown().await;
        // Everything submitted before is durable afterwards.
        self.store.commit(Batch::default()).await.unwrap();
        *self = Self::at(&self.discord.clone(), self.store.clone(), Config::default()).await;
    }

    pub(crate) fn room(&self, channel: &str) -> RoomId {
        RoomId::new(&self.bot.name, &self.discord.channel(channel).to_string())
    }

    /// Returns an event in a channel.
    pub(crate) fn event_in(&self, channel: &str) -> Event {
        let space = Space { id: SpaceId::new(&self.bot.name, &self.discord.guild().to_string()), name: String::new() };
        let room = Room {
            id: self.room(channel),
            name: channel.to_owned(),
            kind: RoomKind::Channel,
            topic: None,
            locale: None,
        };
        let event = Event::without_place(self.bot.clone(), 0, EventKind::Ready { reason: None });
        Event { space: Some(Arc::new(space)), room: Some(Arc::new(room)), ..event }
    }

    /// Waits until a message of a user arrives.
    pub(crate) async fn hears(&self, text: &str) {
        let says =
            |event: &Event| matches!(&event.kind, EventKind::Message { message } if message.content.text == text);
        let mut events = self.heard.events.subscribe();
        let heard = events.wait_for(|events| events.iter().any(says));
        let in_time = tokio::time::timeout(WAIT_MAX, heard).await.is_ok();
        assert!(in_time, "{text:?} was not heard, but {:#?}", self.heard.events.borrow());
    }

    /// Returns the number of received command uses.
    pub(crate) fn uses(&self) -> usize {
        self.heard.events.borrow().iter().filter(|event| is_use(event)).count()
    }

    /// Waits for a number of command uses, and returns the last one.
    pub(crate) async fn uses_heard(&self, count: usize) -> Event {
        let mut events = self.heard.events.subscribe();
        let heard = events.wait_for(|events| events.iter().filter(|event| is_use(event)).count() >= count);
        let in_time = tokio::time::timeout(WAIT_MAX, heard).await.is_ok();
        assert!(in_time, "{:#?}", self.heard.events.borrow());
        let events = self.heard.events.borrow();
        events.iter().rev().find(|event| is_use(event)).cloned().unwrap()
    }

    /// Returns a key that no action of this fixture has used.
    pub(crate) fn key(&self) -> ActionKey {
        let seq = self.keys.fetch_add(1, Ordering::Relaxed);
        ActionKey { script: "test".into(), run: RunId::hook(seq, 0), index: 0 }
    }

    pub(crate) async fn does(&self, action: &Action) -> Result<Outcome, ActionError> {
        self.does_under(action, &self.key()).await
    }

    pub(crate) async fn does_under(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let done = tokio::time::timeout(WAIT_MAX, self.adapter.perform(action, key)).await;
        done.unwrap_or_else(|_| panic!("this is never answered: {action:?}"))
    }

    pub(crate) async fn does_together(&self, actions: &[Action]) -> Vec<Result<Outcome, ActionError>> {
        let keys: Vec<_> = actions.iter().map(|_| self.key()).collect();
        let actions: Vec<_> = actions.iter().zip(&keys).collect();
        self.adapter.perform_all(&actions).await
    }

    /// Performs an action, and retries as long as it is told to wait.
    pub(crate) async fn does_in_the_end(&self, action: &Action) {
        let key = self.key();
        loop {
            match self.does_under(action, &key).await {
                Ok(_) => return,
                // The adapter counts its limits in real time.
                Err(ActionError::RateLimited { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(error) => panic!("{error}: {action:?}"),
            }
        }
    }
}

/// Whether an event is the use of a command.
fn is_use(event: &Event) -> bool {
    matches!(event.kind, EventKind::Command { .. })
}
