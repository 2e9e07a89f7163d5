//! An adapter that runs without an engine.
//!
//! Emitted events are collected, rows are stored, and requests of the adapter are answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use palabre_platform::{
    Adapter, AdapterContext, AdapterError, EventSink, Gate, Receipt, Shutdown, SystemClock, Verdict,
};
use palabre_store::Store;
use palabre_tests::commit_rows;
use palabre_types::{
    Action, ActionError, ActionKey, Batch, Bot, BotName, CommandSpec, Event, EventKind, EventName, Outcome, Permission,
    RunId,
};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The maximum wait before a test fails.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(20);

/// The events that an adapter emitted, and its requests.
pub(crate) struct Heard {
    events: watch::Sender<Vec<Event>>,
    verdict: Mutex<Verdict>,
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
    async fn before_message(&self, event: Event) -> Verdict {
        self.events.send_modify(|events| events.push(event));
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn permission(&self, _: &Event) -> Permission {
        Permission::Member
    }
}

/// A bot on its platform.
pub(crate) struct Fixture {
    pub(crate) bot: Bot,
    pub(crate) adapter: Arc<dyn Adapter>,
    pub(crate) heard: Arc<Heard>,
    context: AdapterContext,
    stop: watch::Sender<bool>,
    _commands: watch::Sender<Arc<Vec<CommandSpec>>>,
    running: JoinSet<Result<(), AdapterError>>,
    keys: AtomicU64,
}

impl Fixture {
    /// Runs `adapter`, and returns once it is ready.
    pub(crate) async fn new(bot: Bot, adapter: Arc<dyn Adapter>, store: &Store, commands: Vec<CommandSpec>) -> Self {
        let heard = Arc::new(Heard {
            events: watch::Sender::default(),
            verdict: Mutex::new(Verdict::Pass),
            store: store.clone(),
        });
        let (stop, shutdown) = Shutdown::channel();
        let (offer, commands) = watch::channel(Arc::new(commands));
        let context = AdapterContext {
            bot: bot.clone(),
            sink: Arc::clone(&heard) as Arc<dyn EventSink>,
            gate: Arc::clone(&heard) as Arc<dyn Gate>,
            commands,
            condition: watch::Sender::default(),
            clock: Arc::new(SystemClock),
            shutdown,
        };
        let running = JoinSet::new();
        // The keys of a test must differ from those used before on the same store.
        let keys = AtomicU64::new(u64::from(store.stats().batches > 0) * 1_000_000);
        let mut fixture = Self { bot, adapter, heard, context, stop, _commands: offer, running, keys };
        fixture.run().await;
        fixture
    }

    async fn run(&mut self) {
        let (adapter, context, since) = (Arc::clone(&self.adapter), self.context.clone(), self.cursor());
        self.running.spawn(async move { adapter.run(context).await });
        self.wait(EventName::Ready, since, |_| true).await;
    }

    /// Restarts the adapter after a failure, as the supervisor does.
    pub(crate) async fn falls_over(&mut self) {
        self.running.shutdown().await;
        self.run().await;
    }

    /// Sends the shutdown signal, and returns how the adapter ended.
    pub(crate) async fn stops(&mut self) -> Result<(), AdapterError> {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(WAIT_MAX, self.running.join_next()).await;
        ended.expect("it ends soon after the shutdown signal").expect("it was running").expect("it did not panic")
    }

    /// Returns the number of events so far.
    pub(crate) fn cursor(&self) -> usize {
        self.heard.events.borrow().len()
    }

    /// Returns the events since a position that fit.
    pub(crate) fn since(&self, cursor: usize, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.heard.events.borrow().iter().skip(cursor).filter(|event| fits(event)).cloned().collect()
    }

    /// Waits for an event of a kind since a position.
    pub(crate) async fn wait(&self, name: EventName, cursor: usize, fits: impl Fn(&Event) -> bool) -> Event {
        let mut events = self.heard.events.subscribe();
        let is_it = |event: &&Event| event.kind.name() == name && fits(event);
        let found = events.wait_for(|events| events.iter().skip(cursor).any(|event| is_it(&event)));
        let in_time = tokio::time::timeout(WAIT_MAX, found).await.is_ok();
        let there = self.since(cursor, |_| true);
        let found = there.iter().find(is_it).cloned();
        assert!(in_time, "waited in vain for {name:?}; there were {there:#?}");
        found.expect("it was there a moment ago")
    }

    /// Waits until a message of a user arrives.
    pub(crate) async fn hears(&self, text: &str) -> Event {
        let says =
            |event: &Event| matches!(&event.kind, EventKind::Message { message } if message.content.text == text);
        self.wait(EventName::Message, 0, says).await
    }

    /// Sets the verdict of scripts on messages that are about to be delivered.
    pub(crate) fn judges(&self, verdict: Verdict) {
        *self.heard.verdict.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
    }

    /// Returns an unused action key.
    pub(crate) fn key(&self) -> ActionKey {
        let seq = self.keys.fetch_add(1, Ordering::Relaxed);
        ActionKey { script: "conformance".into(), run: RunId::hook(seq, 0), index: 0 }
    }

    /// Performs an action.
    pub(crate) async fn tries(&self, action: &Action) -> Result<Outcome, ActionError> {
        self.tries_under(action, &self.key()).await
    }

    pub(crate) async fn tries_under(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        let done = tokio::time::timeout(WAIT_MAX, self.adapter.perform(action, key)).await;
        done.unwrap_or_else(|_| panic!("this is never answered: {action:?}"))
    }

    /// Performs an action twice under the same key; both must succeed with the same outcome.
    pub(crate) async fn does(&self, action: &Action) -> Outcome {
        let key = self.key();
        let done = self.tries_under(action, &key).await.unwrap_or_else(|error| panic!("{error}: {action:?}"));
        let repeated = self.tries_under(action, &key).await;
        let repeated = repeated.unwrap_or_else(|error| panic!("repeated under the same key: {error}: {action:?}"));
        if action.kind().creates_object() {
            assert_eq!(repeated, done, "repeated under the same key: {action:?}");
        }
        done
    }
}
