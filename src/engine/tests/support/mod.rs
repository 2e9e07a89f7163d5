//! An engine on a simulated platform, with a clock that the test moves.
#![allow(dead_code, clippy::unwrap_used, unreachable_pub, missing_docs, reason = "each test file uses its part")]

pub mod daemon;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{BotSettings, Engine, Operators, Options, ScriptSetup, Web, journal, rebuild};
use palabre_platform::{Adapter, Clock, SeededEntropy, VirtualClock};
use palabre_script::Source;
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::{BotName, Limits};

/// The maximum wait for everything that is due.
///
/// An action that is retried later, or a store that refuses writes, would make it endless.
const QUIESCENCE_MAX: Duration = Duration::from_secs(2);

pub struct Harness {
    /// At the end of each test, the journal has to describe every row of the store.
    pub rebuilt: Rebuilt,
    pub store: Store,
    pub clock: VirtualClock,
    pub sim: Arc<Sim>,
    pub engine: Engine,
}

/// Compares the store with what its journal gives when it is dropped.
pub struct Rebuilt(Option<Store>);

impl Rebuilt {
    pub fn of(store: &Store) -> Self {
        Self(Some(store.clone()))
    }

    /// The test writes rows by itself.
    pub fn not(&mut self) {
        self.0 = None;
    }
}

impl Drop for Rebuilt {
    fn drop(&mut self) {
        let Some(Ok(snapshot)) = self.0.as_ref().map(|store| store.snapshot(0)) else { return };
        let first = journal(&snapshot).ok().and_then(|mut batches| batches.next()).and_then(Result::ok);
        // A journal that was trimmed says nothing.
        if std::thread::panicking() || first.is_none_or(|(number, _)| number != 1) {
            return;
        }
        // In a thread of its own: a commit blocks, and the test drives asynchronous tasks.
        let differences = std::thread::scope(|scope| scope.spawn(|| rebuild(&snapshot).unwrap()).join().unwrap());
        assert!(
            differences.is_empty(),
            "{} rows are not what the journal gives: {:#?}",
            differences.len(),
            differences.iter().take(5).collect::<Vec<_>>()
        );
    }
}

pub fn script(name: &str, text: &str) -> ScriptSetup {
    ScriptSetup {
        name: name.into(),
        source: Ok(Source::from_text(name, text)),
        limits: Limits::default(),
        config: serde_json::json!({}),
        grants: vec!["moderation".into(), "rooms".into()],
        bots: None,
    }
}

/// Returns a script in a folder, whose script.yaml names `others` under depends.
pub fn depends_on(name: &str, others: &[&str], text: &str) -> ScriptSetup {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join(name)).unwrap();
    std::fs::write(folder.path().join(name).join("init.luau"), text).unwrap();
    let depends: Vec<_> = others.iter().map(|other| format!("{other}: \"*\"")).collect();
    let manifest = format!("name: {name}\ndepends: {{ {} }}\n", depends.join(", "));
    std::fs::write(folder.path().join(name).join("script.yaml"), manifest).unwrap();
    ScriptSetup { source: Source::read(folder.path(), name), ..script(name, "") }
}

impl Harness {
    pub async fn new(scripts: Vec<ScriptSetup>) -> Self {
        Self::on(Store::in_memory().unwrap(), Sim::new("sim"), scripts).await
    }

    /// Starts on the store and the platform of an earlier engine, as after a restart.
    pub async fn on(store: Store, sim: Arc<Sim>, scripts: Vec<ScriptSetup>) -> Self {
        let clock = VirtualClock::new(1_000_000);
        Self::at(store, sim, clock, scripts).await
    }

    pub async fn at(store: Store, sim: Arc<Sim>, clock: VirtualClock, scripts: Vec<ScriptSetup>) -> Self {
        Self::with_all(store, sim, clock, scripts, Operators::default(), 2, HashMap::new()).await
    }

    /// Starts with settings of the bot.
    pub async fn with_settings(settings: BotSettings, scripts: Vec<ScriptSetup>) -> Self {
        let (sim, clock) = (Sim::new("sim"), VirtualClock::new(1_000_000));
        let settings = [("sim".into(), settings)].into();
        Self::with_all(Store::in_memory().unwrap(), sim, clock, scripts, Operators::default(), 2, settings).await
    }

    /// Starts with operators who receive messages.
    pub async fn with_operators(operators: Operators, scripts: Vec<ScriptSetup>) -> Self {
        let clock = VirtualClock::new(1_000_000);
        let store = Store::in_memory().unwrap();
        Self::with_all(store, Sim::new("sim"), clock, scripts, operators, 2, HashMap::new()).await
    }

    /// Starts with all scripts on one worker.
    pub async fn on_one_worker(sim: Arc<Sim>, scripts: Vec<ScriptSetup>) -> Self {
        let clock = VirtualClock::new(1_000_000);
        let store = Store::in_memory().unwrap();
        Self::with_all(store, sim, clock, scripts, Operators::default(), 1, HashMap::new()).await
    }

    async fn with_all(
        store: Store,
        sim: Arc<Sim>,
        clock: VirtualClock,
        scripts: Vec<ScriptSetup>,
        operators: Operators,
        workers: usize,
        settings: HashMap<BotName, BotSettings>,
    ) -> Self {
        let engine = Engine::start(Options {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(7)),
            bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
            scripts,
            workers,
            journal_retention: Duration::from_secs(7 * 86_400),
            settings,
            operators,
            http: Arc::new(Web::default()),
        })
        .await
        .unwrap();
        Self { rebuilt: Rebuilt::of(&store), store, clock, sim, engine }
    }

    /// Lets alice post in the room general, and waits until everything that follows is done.
    pub async fn alice(&self, text: &str) {
        self.sim.person("alice", "general").says(text).await.unwrap();
        self.engine.when_idle().await;
    }

    /// Lets a user post in the room general, and waits until everything that follows is done.
    ///
    /// Returns the last text of the bot that the user sees.
    pub async fn answer_to(&self, who: &str, text: &str) -> String {
        let person = self.sim.person(who, "general");
        person.says(text).await.unwrap();
        self.engine.quiesce().await;
        let seen = person.sees();
        seen.iter().rev().find(|line| line.author == "sim").map(|line| line.text.clone()).unwrap_or_default()
    }

    /// Advances the clock in steps of a second until `done` holds.
    ///
    /// Runs that become due have real time for their work.
    pub async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..20_000 {
            if done(self) {
                return;
            }
            self.clock.advance(Duration::from_secs(1));
            // Real time for the engine's own threads; how much does not matter.
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        panic!("never happened: {what}\n{}", self.sim.transcript());
    }

    /// Advances the clock by `by`, in steps of a second, and lets everything happen that is due then.
    pub async fn advance(&self, by: Duration) {
        let end = self.clock.now() + u64::try_from(by.as_millis()).unwrap();
        self.until("the time", |harness| harness.clock.now() >= end).await;
        tokio::time::timeout(QUIESCENCE_MAX, self.engine.quiesce()).await.unwrap_or_default();
        // Real time for tasks that the clock wakes and that `quiesce` does not wait for: supervisors,
        // breakers, the clock watch.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// Awaits something that takes time on the clock, which advances meanwhile.
    pub async fn with_time<T>(&self, waits: impl Future<Output = T>) -> T {
        let turning = async {
            loop {
                self.advance(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            answer = waits => answer,
            () = turning => unreachable!("the clock never stops"),
        }
    }

    pub fn texts(&self) -> Vec<String> {
        self.sim.transcript().texts("general").into_iter().map(ToOwned::to_owned).collect()
    }

    /// Returns the texts that the bot posted.
    pub fn replies(&self) -> Vec<String> {
        let transcript = self.sim.transcript();
        let lines = transcript.lines().iter().filter(|line| line.author == "sim" && !line.deleted);
        lines.map(|line| line.text.clone()).collect()
    }

    /// Shuts the daemon down and starts another on the same store.
    pub async fn restart(self, scripts: Vec<ScriptSetup>) -> Self {
        let Self { store, sim, engine, clock, .. } = self;
        engine.shutdown().await;
        Self::at(store, sim, clock, scripts).await
    }
}
