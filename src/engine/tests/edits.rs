//! Values that an operator changes while scripts run.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{
    EditError, Engine, Entry, Operators, Options, ValueChange, Web, journal, reexecute_journal, stored_values,
};
use palabre_platform::{Adapter, Clock, SeededEntropy, VirtualClock};
use palabre_script::Ticker;
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::Millis;
use serde_json::{Value, json};
use support::{Harness, Rebuilt, script};

const SHOP: &str = r#"
function on_message(event)
  if event.text == "ask" then
    local before = store.get("price", 1)
    local answer = event.room:ask(event.user, "how many?")
    event:reply(`{answer} for {before}, now {store.get("price", 1)}`)
  else
    store.incr("sold")
    event:reply(`{event.text} costs {store.get("price", 1)}, {store.get("sold")} sold`)
  end
end"#;

fn price(value: impl Into<Value>) -> Vec<ValueChange> {
    vec![ValueChange { scope: String::new(), name: "price".to_owned(), value: Some(value.into()) }]
}

/// Returns the journal's steps and edits of the script "shop" in order, with the heads they name.
fn heads(store: &Store) -> Vec<(&'static str, u64)> {
    let snapshot = store.snapshot(0).unwrap();
    let mut heads = Vec::new();
    for batch in journal(&snapshot).unwrap() {
        heads.extend(batch.unwrap().1.entries.iter().filter_map(|entry| match entry {
            Entry::Step(step) => Some(("step", step.head)),
            Entry::Edit(edit) => Some(("edit", edit.head)),
            _ => None,
        }));
    }
    heads
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_between_two_steps_of_a_run_ends_no_wait_and_is_seen_by_the_next() {
    let harness = Harness::new(vec![script("shop", SHOP)]).await;
    harness.alice("tea").await;
    harness.alice("ask").await;
    harness.engine.edit(&"shop".into(), "ann", &price(7)).await.unwrap();
    harness.alice("three").await;
    harness.alice("cake").await;
    assert_eq!(harness.replies(), ["tea costs 1, 1 sold", "how many?", "three for 1, now 7", "cake costs 7, 2 sold"]);
    assert_eq!(heads(&harness.store), [("step", 0), ("step", 1), ("edit", 2), ("step", 3), ("step", 4)]);
    assert_eq!(reexecute_journal(&harness.store.snapshot(0).unwrap(), &Ticker::start().unwrap()).unwrap(), []);
    harness.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_among_many_events_are_each_seen_from_some_event_on() {
    let harness = Harness::new(vec![script("shop", SHOP)]).await;
    let alice = harness.sim.person("alice", "general");
    for round in 1..=5 {
        let mut receipts = Vec::new();
        for n in 0..50 {
            receipts.push(alice.say(&format!("{n}")).await.unwrap().1);
        }
        harness.engine.edit(&"shop".into(), "ann", &price(round * 100)).await.unwrap();
        for receipt in receipts {
            receipt.await.unwrap();
        }
        harness.engine.when_idle().await;
    }
    let replies = harness.replies();
    let prices: Vec<u32> = replies
        .iter()
        .map(|text| text.split_once("costs ").unwrap().1.split_once(',').unwrap().0.parse().unwrap())
        .collect();
    assert!(prices.is_sorted(), "{prices:?}");
    let sold: Vec<u32> =
        replies.iter().map(|text| text.rsplit_once(", ").unwrap().1.replace(" sold", "").parse().unwrap()).collect();
    assert_eq!(sold, (1..=250).collect::<Vec<_>>(), "nothing is lost or repeated");
    assert!(heads(&harness.store).iter().map(|(_, head)| *head).eq(0..255));
    assert_eq!(reexecute_journal(&harness.store.snapshot(0).unwrap(), &Ticker::start().unwrap()).unwrap(), []);
    harness.engine.shutdown().await;
}

/// A clock that makes a worker hang as it begins with an event, while the gate is shut, or panic.
struct Gate {
    panics: AtomicUsize,
    clock: VirtualClock,
    is_shut: Mutex<bool>,
    opened: Condvar,
    hanging: AtomicUsize,
}

impl Gate {
    fn set(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opened.notify_all();
    }
}

#[async_trait]
impl Clock for Gate {
    fn now(&self) -> Millis {
        let is_worker = std::thread::current().name().is_some_and(|name| name.starts_with("script-worker"));
        if is_worker && Backtrace::force_capture().to_string().contains("run_event") {
            if self.panics.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() {
                panic!("a bug in a worker");
            }
            let mut is_shut = self.is_shut.lock().unwrap();
            while *is_shut {
                self.hanging.fetch_add(1, SeqCst);
                is_shut = self.opened.wait(is_shut).unwrap();
            }
        }
        self.clock.now()
    }

    async fn sleep_until(&self, time: Millis) {
        self.clock.sleep_until(time).await;
    }
}

impl Gate {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            panics: AtomicUsize::new(0),
            clock: VirtualClock::new(1_000_000),
            is_shut: Mutex::new(false),
            opened: Condvar::new(),
            hanging: AtomicUsize::new(0),
        })
    }

    /// Waits until a worker hangs.
    async fn holds_a_worker(&self) {
        while self.hanging.load(SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Advances the clock until something is done.
    async fn during(&self, done: impl Future<Output = ()>) {
        let time = async {
            loop {
                self.clock.advance(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = done => {}
            () = time => {}
        }
    }
}

async fn engine_at(gate: &Arc<Gate>, store: &Store, sim: &Arc<Sim>) -> Engine {
    Engine::start(Options {
        store: store.clone(),
        clock: Arc::clone(gate) as Arc<dyn Clock>,
        entropy: Arc::new(SeededEntropy::new(7)),
        bots: vec![(sim.bot(), Arc::clone(sim) as Arc<dyn Adapter>)],
        scripts: vec![script("shop", SHOP)],
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: HashMap::new(),
        operators: Operators::default(),
        http: Arc::new(Web::default()),
    })
    .await
    .unwrap()
}

fn replies(sim: &Sim) -> Vec<String> {
    let transcript = sim.transcript();
    transcript.lines().iter().filter(|line| line.author == "sim").map(|line| line.text.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_on_an_outdated_head_is_refused_and_its_event_handled_again() {
    let (store, sim, gate) = (Store::in_memory().unwrap(), Sim::new("sim"), Gate::new());
    let _rebuilt = Rebuilt::of(&store);
    let engine = engine_at(&gate, &store, &sim).await;
    let alice = sim.person("alice", "general");
    alice.says("tea").await.unwrap();
    engine.when_idle().await;

    gate.set(true);
    for text in ["cake", "pie"] {
        alice.says(text).await.unwrap();
    }
    gate.holds_a_worker().await;
    gate.during(async { engine.edit(&"shop".into(), "ann", &price(7)).await.unwrap() }).await;
    // The edit is durable, although the worker still hangs.
    let snapshot = store.snapshot(0).unwrap();
    let stored: Vec<_> = stored_values(&snapshot, &"shop".into(), "").unwrap().map(Result::unwrap).collect();
    assert!(stored.contains(&("price".to_owned(), json!(7))), "{stored:?}");
    gate.set(false);
    engine.when_idle().await;

    assert_eq!(replies(&sim), ["tea costs 1, 1 sold", "cake costs 7, 2 sold", "pie costs 7, 3 sold"]);
    assert!(engine.metrics().contains("refused step"), "the metrics say that steps were refused");
    assert!(heads(&store).iter().map(|(_, head)| *head).eq(0..heads(&store).len() as u64));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_refused_while_events_are_replayed_one_at_a_time_loses_and_repeats_none() {
    let (store, sim, gate) = (Store::in_memory().unwrap(), Sim::new("sim"), Gate::new());
    let _rebuilt = Rebuilt::of(&store);
    let engine = engine_at(&gate, &store, &sim).await;
    let alice = sim.person("alice", "general");
    gate.panics.store(1, SeqCst);
    gate.set(true);
    for text in ["tea", "cake", "pie"] {
        alice.says(text).await.unwrap();
    }
    gate.holds_a_worker().await;
    gate.during(async { engine.edit(&"shop".into(), "ann", &price(7)).await.unwrap() }).await;
    gate.set(false);
    engine.when_idle().await;
    assert!(engine.metrics().contains("refused step"), "a step was refused");
    assert_eq!(replies(&sim), ["tea costs 7, 1 sold", "cake costs 7, 2 sold", "pie costs 7, 3 sold"]);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_counts_for_a_script_that_comes_later_and_what_no_script_could_store_is_refused() {
    let harness = Harness::new(Vec::new()).await;
    harness.engine.edit(&"shop".into(), "ann", &price(3)).await.unwrap();
    let (long, large) = ("n".repeat(513), "v".repeat(300_000));
    for (scope, name, value) in [("", long.as_str(), json!(1)), ("", "", json!(1)), ("a\0b", "n", json!(1))] {
        let (scope, name) = (scope.to_owned(), name.to_owned());
        let change = ValueChange { scope, name, value: Some(value) };
        let refused = harness.engine.edit(&"shop".into(), "ann", &[change]).await;
        assert!(matches!(refused, Err(EditError::Key { .. })), "{refused:?}");
    }
    let refused = harness.engine.edit(&"shop".into(), "ann", &price(large)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the value of \"price\" has 300005 bytes; a value may have 262144");
    harness.engine.add_script(script("shop", SHOP)).await.unwrap();
    harness.alice("tea").await;
    assert_eq!(harness.replies(), ["tea costs 3, 1 sold"]);
    harness.engine.shutdown().await;
}
