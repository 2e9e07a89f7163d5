//! Timers of scripts whose bot is another one, or none, after a restart.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use palabre_engine::{ScriptSetup, ScriptState, stored_values};
use palabre_sim::Sim;
use palabre_types::TableId;
use serde_json::Value;
use support::{Harness, script};

const REMINDER: &str = r#"
  function on_message(event)
    if event.text == "remind" then timers.set("remind", { after = "1m", key = "k" }) else event:reply("here") end
  end
  on_timer("remind", function(_, event) store.incr("reminded") event.room:send("remember") end)
  function on_error(event) store.set("error", event.error.message) end"#;

fn timers(harness: &Harness) -> u64 {
    harness.store.snapshot(0).unwrap().len(TableId::Timers).unwrap()
}

fn stored(harness: &Harness, script: &str, key: &str) -> Value {
    let snapshot = harness.store.snapshot(0).unwrap();
    let mut values = stored_values(&snapshot, &script.into(), "").unwrap().map(Result::unwrap);
    values.find(|(name, _)| name == key).map(|(_, value)| value).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_of_a_bot_that_its_script_has_left_is_removed_when_it_is_due_and_those_of_others_go_off() {
    let harness = Harness::new(vec![script("left", REMINDER), script("stays", REMINDER)]).await;
    harness.alice("remind").await;
    assert_eq!(timers(&harness), 2);
    let left = ScriptSetup { bots: Some(vec!["other".into()]), ..script("left", REMINDER) };
    let harness = harness.restart(vec![left, script("stays", REMINDER)]).await;
    harness.advance(Duration::from_secs(61)).await;
    assert_eq!(harness.replies(), ["remember"]);
    assert_eq!((stored(&harness, "left", "reminded"), stored(&harness, "stays", "reminded")), (Value::Null, 1.into()));
    assert_eq!(timers(&harness), 0);
    for script in harness.engine.status().scripts {
        assert_eq!((script.timers, script.waiting_events, script.last_error), (0, 0, None), "{}", script.name);
    }

    // Nor does it come back when the script is attached to all bots once more.
    let harness = harness.restart(vec![script("left", REMINDER), script("stays", REMINDER)]).await;
    harness.advance(Duration::from_secs(61)).await;
    assert_eq!(harness.replies(), ["remember"]);
    harness.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_in_a_room_of_a_bot_that_is_gone_ends_and_its_script_serves_the_others() {
    let harness = Harness::new(vec![script("reminder", REMINDER)]).await;
    harness.alice("remind").await;
    let Harness { store, clock, engine, .. } = harness;
    engine.shutdown().await;
    let harness = Harness::at(store, Sim::new("next"), clock, vec![script("reminder", REMINDER)]).await;
    harness.advance(Duration::from_secs(61)).await;
    assert_eq!((timers(&harness), stored(&harness, "reminder", "reminded")), (0, 1.into()));
    let error = stored(&harness, "reminder", "error");
    assert!(error.as_str().is_some_and(|error| error.contains("there is no bot named sim")), "{error}");
    harness.alice("hello").await;
    assert_eq!(harness.texts(), ["hello", "here"]);
    let status = harness.engine.status();
    assert_eq!((status.scripts[0].state, status.backlog), (ScriptState::Up, 0));
    harness.engine.shutdown().await;
}
