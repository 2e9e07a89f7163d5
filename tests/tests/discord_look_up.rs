//! A message of which an earlier daemon could not tell whether Discord had sent it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;
use std::time::Duration;

use palabre_discord::{Config, Discord, Setup};
use palabre_engine::{Engine, Options, ScriptSetup, Web};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_script::Source;
use palabre_store::Store;
use palabre_tests::discord::{self, Fault, StandIn};
use palabre_types::{Bot, Limits};

const ECHO: &str = "function on_message(event) event:reply('heard ' .. event.text) end";
/// More than the few minutes for which Discord knows a nonce.
const AWAY: Duration = Duration::from_secs(600);

/// Starts an engine with a bot on the stand-in, on a store that an earlier one may have used.
async fn start(discord: &StandIn, store: &Store, clock: &VirtualClock) -> Engine {
    drop(rustls::crypto::ring::default_provider().install_default());
    let bot = Bot { name: "guild".into(), platform: "discord".into() };
    let adapter = Discord::new(Setup {
        bot: bot.name.clone(),
        token: discord.token().to_owned(),
        api: Some(discord.api().to_owned()),
        config: Config::default(),
        moderators: Vec::new(),
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(1)),
    })
    .unwrap();
    let echo = ScriptSetup {
        name: "echo".into(),
        source: Ok(Source::from_text("echo", ECHO)),
        limits: Limits::default(),
        config: serde_json::json!({}),
        grants: Vec::new(),
        bots: None,
    };
    Engine::start(Options {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(2)),
        bots: vec![(bot, adapter as Arc<dyn Adapter>)],
        scripts: vec![echo],
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: Arc::new(Web::default()),
    })
    .await
    .unwrap()
}

fn calls(discord: &StandIn, operation: &str) -> u64 {
    discord.counters().calls.get(operation).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_sent_before_a_restart_is_found_when_its_nonce_is_forgotten() {
    let clock = VirtualClock::new(1_800_000_000_000);
    let options = discord::Options {
        identify_window: Duration::ZERO,
        limits: discord::Limits::none(),
        clock: Arc::new(clock.clone()),
        ..discord::Options::default()
    };
    let Some(discord) = StandIn::start_with(options).await else { return };
    let store = Store::in_memory().unwrap();
    let engine = start(&discord, &store, &clock).await;
    discord.identified(1).await;
    discord.says("alice", "general", "one");
    discord.hears("general", "heard one").await;

    // The connection is lost after the message was sent. The clock stands still, so that the engine
    // does not try it again before it is stopped.
    discord.fault_next("create_message", Fault::CutAfter);
    discord.says("alice", "general", "two");
    discord.hears("general", "heard two").await;
    engine.shutdown().await;
    assert_eq!((calls(&discord, "create_message"), calls(&discord, "list_messages")), (2, 0));
    clock.advance(AWAY);

    let engine = start(&discord, &store, &clock).await;
    discord.identified(2).await;
    engine.when_idle().await;
    assert_eq!((calls(&discord, "create_message"), calls(&discord, "list_messages")), (2, 1));
    discord.says("alice", "general", "three");
    discord.hears("general", "heard three").await;
    assert_eq!(discord.texts("general"), ["heard one", "heard two", "heard three"]);
    assert_eq!(format!("{:#?}", discord.violations()), "[]");
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_never_sent_is_sent_after_it_was_not_found() {
    let clock = VirtualClock::new(1_800_000_000_000);
    let options = discord::Options {
        identify_window: Duration::ZERO,
        limits: discord::Limits::none(),
        clock: Arc::new(clock.clone()),
        ..discord::Options::default()
    };
    let Some(discord) = StandIn::start_with(options).await else { return };
    let store = Store::in_memory().unwrap();
    let engine = start(&discord, &store, &clock).await;
    discord.identified(1).await;
    discord.fault_next("create_message", Fault::CutBefore);
    discord.says("alice", "general", "one");
    discord.counts("the fault", |counters| counters.faults == 1).await;
    engine.shutdown().await;
    clock.advance(AWAY);
    let engine = start(&discord, &store, &clock).await;
    discord.hears("general", "heard one").await;
    engine.when_idle().await;
    assert_eq!((discord.texts("general").len(), calls(&discord, "list_messages")), (1, 1));
    engine.shutdown().await;
}
