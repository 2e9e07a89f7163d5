//! The shipped scripts in a chat on the simulated platform, with a clock that the test moves.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{BotSettings, Engine, Options, ScriptSetup};
use palabre_platform::{Adapter, Clock, SeededEntropy, VirtualClock};
use palabre_script::Source;
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::Limits;

struct Chat {
    sim: Arc<Sim>,
    engine: Engine,
    clock: VirtualClock,
    store: Store,
    script: &'static str,
}

impl Chat {
    async fn with(script: &'static str) -> Self {
        Self::on(script, Store::in_memory().unwrap(), Sim::new("palabre"), VirtualClock::new(1_800_000_000_000)).await
    }

    async fn on(script: &'static str, store: Store, sim: Arc<Sim>, clock: VirtualClock) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("scripts");
        let setup = ScriptSetup {
            name: script.into(),
            source: Source::read(&folder, script),
            limits: Limits::default(),
            config: serde_json::json!({ "words": ["darn", "heck"] }),
            grants: vec!["moderation".to_owned()],
            bots: None,
        };
        let engine = Engine::start(Options {
            store: store.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SeededEntropy::new(42)),
            bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
            scripts: vec![setup],
            workers: 1,
            journal_retention: Duration::from_secs(86_400),
            // As in the shipped bots.yaml.
            settings: [(sim.bot().name, BotSettings { prefix: Some("!".to_owned()), ..BotSettings::default() })].into(),
            operators: Default::default(),
            http: std::sync::Arc::new(palabre_engine::Web::default()),
        })
        .await
        .unwrap();
        Self { sim, engine, clock, store, script }
    }

    async fn restart(self) -> Self {
        self.engine.shutdown().await;
        Self::on(self.script, self.store, self.sim, self.clock).await
    }

    /// Posts a message as a user and returns the bot's answers.
    async fn says(&self, who: &str, text: &str) -> Vec<String> {
        let before = self.bot().len();
        self.sim.person(who, "general").says(text).await.unwrap();
        self.engine.quiesce().await;
        self.bot().split_off(before)
    }

    fn bot(&self) -> Vec<String> {
        self.sim
            .transcript()
            .lines()
            .iter()
            .filter(|line| line.author == "palabre")
            .map(|line| line.text.clone())
            .collect()
    }

    /// Moves the clock until the bot has posted a number of further messages.
    async fn until_it_has_said(&self, more: usize, within: Duration) -> Vec<String> {
        let before = self.bot().len();
        let end = self.clock.now() + u64::try_from(within.as_millis()).unwrap();
        while self.clock.now() < end && self.bot().len() < before + more {
            self.clock.advance(within / 100);
            self.engine.quiesce().await;
        }
        self.bot().split_off(before)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_greets_and_remembers() {
    let chat = Chat::with("hello").await;
    assert_eq!(chat.says("alice", "!ping").await, ["pong"]);
    assert_eq!(chat.says("alice", "!hello").await, ["Hello, alice!"]);
    assert_eq!(chat.says("alice", "!hello").await, ["Hello again, alice!"]);
    assert_eq!(chat.says("bob", "!hello").await, ["Hello, bob!"]);
    assert_eq!(chat.says("bob", "hello").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dice_roll_what_is_asked_for() {
    let chat = Chat::with("dice").await;
    let number = |text: &str| text.rsplit_once("rolls ").unwrap().1.split(' ').next().unwrap().parse::<u32>().unwrap();
    for _ in 0..20 {
        assert!((1..=20).contains(&number(&chat.says("alice", "!roll 20").await[0])));
        assert!((1..=6).contains(&number(&chat.says("alice", "!roll").await[0])));
        assert!((3..=18).contains(&number(&chat.says("alice", "!roll 3d6").await[0])));
    }
    for wrong in ["!roll 1", "!roll 0d6", "!roll 101d6", "!roll 5000", "!roll pizza", "!roll 99999999999999999999d6"] {
        assert!(chat.says("alice", wrong).await[0].starts_with("Say !roll"), "{wrong}");
    }
    assert_eq!(chat.says("alice", "let's roll 20").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn karma_is_counted_for_everybody_but_oneself() {
    let chat = Chat::with("karma").await;
    assert_eq!(chat.says("alice", "!karma").await, ["Nobody has any karma yet. Say name++ to give some."]);
    assert_eq!(chat.says("alice", "bob++").await, ["bob has 1 karma."]);
    assert_eq!(chat.says("carol", "Bob++").await, ["Bob has 2 karma."]);
    assert_eq!(chat.says("bob", "carol--").await, ["carol has -1 karma."]);
    assert_eq!(chat.says("bob", "bob++").await, ["You cannot give karma to yourself."]);
    let chat = chat.restart().await;
    assert_eq!(chat.says("alice", "!karma").await, ["1. bob: 2\n2. carol: -1"]);
    assert_eq!(chat.says("alice", "!karma dave").await, ["dave has 0 karma."]);
    assert_eq!(chat.says("alice", "i++ is a statement").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_comes_in_time_also_over_a_restart() {
    let chat = Chat::with("reminder").await;
    assert_eq!(chat.says("alice", "!remind 10m the tea").await, ["I will remind you in 10m."]);
    assert_eq!(chat.until_it_has_said(1, Duration::from_secs(590)).await, [""; 0]);
    let chat = chat.restart().await;
    assert_eq!(chat.until_it_has_said(1, Duration::from_secs(30)).await, ["⏰ alice: the tea"]);
    chat.says("alice", "!remind 10m nothing").await;
    assert_eq!(chat.says("alice", "!forget").await, ["Forgotten."]);
    assert_eq!(chat.until_it_has_said(1, Duration::from_secs(1_200)).await, [""; 0]);
    assert!(chat.says("alice", "!remind soon x").await[0].contains("I do not understand"));
    assert!(chat.says("alice", "!remind").await[0].starts_with("Say for example"));
    assert_eq!(chat.says("bob", "!forget").await, ["There is nothing to forget."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_player_guesses_the_number() {
    let chat = Chat::with("guess").await;
    assert!(chat.says("alice", "!guess").await[0].contains("from 1 to 100"));
    assert_eq!(chat.says("bob", "50").await, [""; 0], "bob was not asked");
    assert!(chat.says("alice", "what?").await[0].starts_with("A number, please"));
    let (mut low, mut high) = (1, 100);
    for _ in 0..8 {
        let middle = (low + high) / 2;
        let answer = chat.says("alice", &middle.to_string()).await.remove(0);
        if answer.starts_with("Higher") {
            low = middle + 1;
        } else if answer.starts_with("Lower") {
            high = middle - 1;
        } else {
            assert!(answer.contains("it is") || answer.starts_with("No tries left"), "{answer}");
            break;
        }
    }
    chat.says("alice", "!guess").await;
    assert!(chat.says("alice", "stop").await[0].starts_with("It was "));
    chat.says("alice", "!guess").await;
    let gone = chat.until_it_has_said(1, Duration::from_secs(130)).await;
    assert!(gone[0].starts_with("alice is gone. It was "), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_word_filter_warns_first_and_removes_then() {
    let chat = Chat::with("word_filter").await;
    assert_eq!(chat.says("alice", "nice day").await, [""; 0]);
    assert_eq!(
        chat.says("alice", "oh DARN it").await,
        ["alice, \"darn\" is not allowed in this room. Next time, your message will be removed."]
    );
    assert_eq!(chat.says("alice", "what the heck").await, ["A message of alice was removed."]);
    let removed: Vec<_> =
        chat.sim.transcript().lines().iter().filter(|line| line.deleted).map(|line| line.text.clone()).collect();
    assert_eq!(removed, ["what the heck"]);
    assert!(chat.says("bob", "darn").await[0].contains("not allowed in this room"));
    chat.clock.advance(Duration::from_secs(2 * 86_400));
    assert!(chat.says("alice", "heck").await[0].contains("not allowed"), "after a day it is forgotten");
}
