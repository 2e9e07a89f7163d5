//! Retention of messages and rooms, with a clock that the test moves.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;
use std::time::Duration;

use palabre_engine::{Engine, Options, ScriptSetup};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_rooms::{Config, Retention, Rooms};
use palabre_script::Source;
use palabre_sim::Sim;
use palabre_store::{Direction, Store, Table};
use palabre_types::{Bot, Limits, TableId};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Copies messages of the simulated platform to two rooms of the room service.
const MIRROR: &str = r#"function on_message(event)
  for _, room in { "guest", "kept" } do rooms.get("lobby/" .. room):send(event.text) end
end"#;

fn messages(store: &Store, room: &str) -> Vec<String> {
    const MESSAGES: Table<(String, u64), Value> = Table::new(TableId::RoomMessages);
    let snapshot = store.snapshot(0).unwrap();
    let rows = MESSAGES.scan(&snapshot, &room.to_owned(), Direction::Forward).unwrap();
    rows.map(|row| row.unwrap().1["text"].as_str().unwrap().to_owned()).collect()
}

/// Moves the clock until `done` holds; the clean-up runs in real time.
async fn until(clock: &VirtualClock, step: Duration, what: &str, done: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        clock.advance(step);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("never happened: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_room_forgets_and_a_kept_room_does_not() {
    let store = Store::in_memory().unwrap();
    let clock = VirtualClock::new(1_800_000_000_000);
    let sim = Sim::new("sim");
    let retention = Retention { keep: vec!["kept".to_owned()], ..Retention::default() };
    let config = Config { retention, ..Config::default() };
    let rooms = Rooms::new(store.clone(), config, Arc::new(clock.clone()), Arc::new(SeededEntropy::new(1)));
    let engine = Engine::start(Options {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(2)),
        bots: vec![
            (sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>),
            (Bot { name: "lobby".into(), platform: "rooms".into() }, rooms as Arc<dyn Adapter>),
        ],
        scripts: vec![ScriptSetup {
            name: "mirror".into(),
            source: Ok(Source::from_text("mirror", MIRROR)),
            limits: Limits::default(),
            config: serde_json::json!({}),
            grants: vec!["rooms".to_owned()],
            bots: Some(vec!["sim".into()]),
        }],
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: Default::default(),
        operators: Default::default(),
        http: std::sync::Arc::new(palabre_engine::Web::default()),
    })
    .await
    .unwrap();
    for number in 0..150 {
        sim.person("alice", "general").says(&format!("m{number}")).await.unwrap();
    }
    engine.when_idle().await;
    assert_eq!((messages(&store, "guest").len(), messages(&store, "kept").len()), (150, 150));

    // In small steps: a clean-up that comes late must not find the others older than a week.
    until(&clock, MINUTE, "100 messages a room", || messages(&store, "guest").len() == 100).await;
    assert_eq!(messages(&store, "guest")[0], "m50", "the oldest go");
    until(&clock, HOUR, "messages of a week", || messages(&store, "guest").is_empty()).await;
    let rooms_left = || store.snapshot(0).unwrap().len(TableId::Rooms).unwrap();
    until(&clock, HOUR, "empty rooms of a day", || rooms_left() == 1).await;
    assert_eq!(messages(&store, "kept").len(), 150);
    engine.shutdown().await;
}
