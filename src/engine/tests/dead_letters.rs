//! Dead letters are tried again when the operator requests it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use palabre_engine::{DeadLetter, DeadLetterError, dead_letters, drop_dead_letters, journal, retry_dead_letters};
use palabre_sim::Sim;
use palabre_store::{Store, Table};
use palabre_types::{Action, ActionKey, Content, RunId};
use palabre_types::{Batch, TableId};
use support::{Harness, script};

const LETTERS: Table<u64, DeadLetter> = Table::new(TableId::DeadLetters);
const ECHO: &str = "function on_message(event) event:reply('heard ' .. event.text) end";

fn action(seq: u64, text: &str) -> DeadLetter {
    let key = ActionKey { script: "echo".into(), run: RunId::hook(seq, 0), index: 0 };
    let action = Action::Send { room: "sim/general".into(), content: Content::text(text), reply_to: None };
    DeadLetter::Action { key, action, requested: 500, reason: "the platform was away".to_owned(), at: 1_000 }
}

/// Returns a store with an event and two actions that were given up, and the platform.
async fn given_up() -> (Store, Arc<Sim>) {
    let mut harness = Harness::new(vec![script("echo", ECHO)]).await;
    harness.rebuilt.not();
    harness.alice("before").await;
    let event = {
        let snapshot = harness.store.snapshot(0).unwrap();
        let mut events = journal(&snapshot).unwrap().flat_map(|block| block.unwrap().1.into_events());
        events.find(|record| !record.targets.is_empty()).unwrap().event
    };
    harness.engine.shutdown().await;
    let Harness { store, sim, .. } = harness;
    let mut batch = Batch::default();
    LETTERS.put(&mut batch, &900, &DeadLetter::Event { script: "echo".into(), seq: 1, event, at: 1_000 });
    LETTERS.put(&mut batch, &901, &action(700, "late"));
    LETTERS.put(&mut batch, &902, &action(701, "later"));
    store.commit(batch).await.unwrap();
    (store, sim)
}

fn left(store: &Store) -> Vec<u64> {
    dead_letters(&store.snapshot(0).unwrap()).unwrap().map(|letter| letter.unwrap().0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_and_events_are_tried_again_by_the_next_daemon_once() {
    let (store, sim) = given_up().await;
    retry_dead_letters(&store, &BTreeSet::from([900, 901, 902]), 2_000).await.unwrap();
    assert!(left(&store).is_empty());

    let mut harness = Harness::on(store, sim, vec![script("echo", ECHO)]).await;
    harness.rebuilt.not();
    let all = ["heard before", "heard before", "late", "later"];
    let said = |harness: &Harness| {
        let mut said = harness.replies();
        said.sort();
        said
    };
    harness.until("all of them", |harness| said(harness) == all).await;
    harness.engine.when_idle().await;
    let mut harness = harness.restart(vec![script("echo", ECHO)]).await;
    harness.rebuilt.not();
    harness.alice("after").await;
    assert_eq!(said(&harness), ["heard after", "heard before", "heard before", "late", "later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_the_platform_has_already_is_taken_for_done() {
    let (store, sim) = given_up().await;
    retry_dead_letters(&store, &BTreeSet::from([901]), 2_000).await.unwrap();
    let mut harness = Harness::on(store, sim, vec![script("echo", ECHO)]).await;
    harness.rebuilt.not();
    harness.until("the action", |harness| harness.replies().contains(&"late".to_owned())).await;
    harness.engine.shutdown().await;
    let Harness { store, sim, .. } = harness;

    let mut batch = Batch::default();
    LETTERS.put(&mut batch, &950, &action(700, "late"));
    store.commit(batch).await.unwrap();
    retry_dead_letters(&store, &BTreeSet::from([950]), 2_000).await.unwrap();
    let mut harness = Harness::on(store, sim, vec![script("echo", ECHO)]).await;
    harness.rebuilt.not();
    harness.engine.when_idle().await;
    assert_eq!(harness.replies().iter().filter(|text| *text == "late").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_are_dropped_the_others_stay_and_numbers_that_there_are_not_change_nothing() {
    let (store, _) = given_up().await;
    drop_dead_letters(&store, &BTreeSet::from([901]), 3_000).await.unwrap();
    assert_eq!(left(&store), [900, 902]);
    let unknown = retry_dead_letters(&store, &BTreeSet::from([900, 901]), 2_000).await;
    assert!(matches!(unknown, Err(DeadLetterError::Unknown(901))));
    let unknown = drop_dead_letters(&store, &BTreeSet::from([7, 900]), 3_000).await;
    assert!(unknown.unwrap_err().to_string().contains("dead-letters list"));
    assert_eq!(left(&store), [900, 902]);
}
