//! An engine on a simulated platform that a test lets refuse actions, or hold them back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{
    BotSettings, DeadLetter, Engine, Operators, Options, OutboxLimits, ScriptSetup, Web, dead_letters,
};
use palabre_platform::{Adapter, AdapterContext, AdapterError, SeededEntropy, VirtualClock};
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::{
    Action, ActionError, ActionKey, ActionKind, Capabilities, Event, Member, MessageId, Outcome, UserId,
};
use tokio::sync::watch;

type Rule = Box<dyn Fn(&Action) -> Option<ActionError> + Send>;

/// The simulated platform, with a rule that refuses actions.
pub struct Rigged {
    pub sim: Arc<Sim>,
    rule: Mutex<Rule>,
    tried: Mutex<Vec<ActionKind>>,
    /// Actions in the room "flood" wait until this is true.
    pub flood: watch::Sender<bool>,
}

impl Rigged {
    pub fn refuses(&self, rule: impl Fn(&Action) -> Option<ActionError> + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    pub fn attempts(&self, kind: ActionKind) -> usize {
        self.tried.lock().unwrap().iter().filter(|tried| **tried == kind).count()
    }
}

#[async_trait]
impl Adapter for Rigged {
    fn capabilities(&self) -> &Capabilities {
        self.sim.capabilities()
    }

    async fn run(self: Arc<Self>, context: AdapterContext) -> Result<(), AdapterError> {
        Arc::clone(&self.sim).run(context).await
    }

    async fn perform(&self, action: &Action, key: &ActionKey) -> Result<Outcome, ActionError> {
        self.tried.lock().unwrap().push(action.kind());
        if action.room().as_str().ends_with("/flood") {
            self.flood.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        }
        let refused = (self.rule.lock().unwrap())(action);
        match refused {
            Some(error) => Err(error),
            None => self.sim.perform(action, key).await,
        }
    }

    fn message_id(&self, key: &ActionKey) -> Option<MessageId> {
        self.sim.message_id(key)
    }

    fn member(&self, event: &Event, user: &UserId) -> Option<Member> {
        self.sim.member(event, user)
    }
}

/// An engine on the rigged platform.
pub struct Daemon {
    pub store: Store,
    pub clock: VirtualClock,
    pub platform: Arc<Rigged>,
    pub engine: Engine,
    outbox: OutboxLimits,
}

impl Daemon {
    pub async fn new(scripts: Vec<ScriptSetup>) -> Self {
        Self::with(OutboxLimits::default(), scripts).await
    }

    pub async fn with(outbox: OutboxLimits, scripts: Vec<ScriptSetup>) -> Self {
        let platform = Arc::new(Rigged {
            sim: Sim::new("sim"),
            rule: Mutex::new(Box::new(|_| None)),
            tried: Mutex::default(),
            flood: watch::Sender::new(false),
        });
        let clock = VirtualClock::new(1_000_000);
        Self::on(Store::in_memory().unwrap(), clock, platform, outbox, scripts).await
    }

    async fn on(
        store: Store,
        clock: VirtualClock,
        platform: Arc<Rigged>,
        outbox: OutboxLimits,
        scripts: Vec<ScriptSetup>,
    ) -> Self {
        let settings = BotSettings { outbox, ..BotSettings::default() };
        let engine = Engine::start(Options {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(7)),
            bots: vec![(platform.sim.bot(), Arc::clone(&platform) as Arc<dyn Adapter>)],
            scripts,
            workers: 1,
            journal_retention: Duration::from_secs(7 * 86_400),
            settings: HashMap::from([("sim".into(), settings)]),
            operators: Operators::default(),
            http: Arc::new(Web::default()),
        })
        .await
        .unwrap();
        Self { store, clock, platform, engine, outbox }
    }

    /// Stops the daemon and starts another on the same store and platform.
    pub async fn restart(self, scripts: Vec<ScriptSetup>) -> Self {
        self.engine.shutdown().await;
        Self::on(self.store, self.clock, self.platform, self.outbox, scripts).await
    }

    /// Says something in a room, and returns once it is acknowledged.
    pub async fn says(&self, room: &str, text: &str) {
        self.platform.sim.person("alice", room).says(text).await.unwrap();
    }

    /// Says something in a room, and returns once every script has handled it.
    pub async fn says_until_handled(&self, room: &str, text: &str) {
        self.says(room, text).await;
        self.soon("it is handled", |daemon| daemon.waiting_events().iter().all(|count| *count == 0)).await;
    }

    pub async fn say_many(&self, room: &str, count: usize) {
        let alice = self.platform.sim.person("alice", room);
        let mut receipts = Vec::new();
        for n in 0..count {
            receipts.push(alice.say(&format!("{n}")).await.unwrap().1);
        }
        for receipt in receipts {
            receipt.await.unwrap();
        }
    }

    pub fn replies(&self, room: &str) -> Vec<String> {
        let transcript = self.platform.sim.transcript();
        let lines = transcript.lines().iter().filter(|line| line.author == "sim" && line.room == room && !line.deleted);
        lines.map(|line| line.text.clone()).collect()
    }

    /// Advances the clock in steps until a condition holds.
    pub async fn until(&self, what: &str, step: Duration, done: impl Fn(&Self) -> bool) {
        for _ in 0..20_000 {
            if done(self) {
                return;
            }
            self.clock.advance(step);
            // Real time for the engine's own threads, some of which a test makes hang or fail.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let tried = self.platform.tried.lock().unwrap().len();
        panic!("never happened: {what}; {tried} tries; {:#?}", self.engine.status());
    }

    /// Waits for the engine's threads until a condition holds, without advancing the clock.
    pub async fn soon(&self, what: &str, done: impl Fn(&Self) -> bool) {
        self.until(what, Duration::ZERO, done).await;
    }

    /// Whether no event waits for a script and no action for the platform.
    pub fn is_done(&self) -> bool {
        let status = self.engine.status();
        status.scripts.iter().all(|script| script.waiting_events == 0) && status.bots[0].waiting_actions == 0
    }

    pub fn is_done_but_for_the_first(&self) -> bool {
        let status = self.engine.status();
        status.scripts.iter().skip(1).all(|script| script.waiting_events == 0) && status.bots[0].waiting_actions == 0
    }

    pub fn waiting_events(&self) -> Vec<u64> {
        self.engine.status().scripts.iter().map(|script| script.waiting_events).collect()
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let snapshot = self.store.snapshot(0).unwrap();
        dead_letters(&snapshot).unwrap().map(|letter| letter.unwrap().1).collect()
    }
}
