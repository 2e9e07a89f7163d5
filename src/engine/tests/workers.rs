//! A worker that panics outside of its scripts: they are rebuilt, and continue where they were.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use palabre_engine::{DeadLetter, Engine, Operators, Options, ScriptState, Web, dead_letters};
use palabre_platform::{Adapter, Clock, SeededEntropy, VirtualClock};
use palabre_sim::Sim;
use palabre_store::Store;
use palabre_types::Millis;
use support::script;

/// A clock that makes a worker panic a number of times, as it begins with an event.
struct Trap {
    clock: VirtualClock,
    failures: AtomicU32,
}

#[async_trait]
impl Clock for Trap {
    fn now(&self) -> Millis {
        if std::thread::current().name().is_some_and(|name| name.starts_with("script-worker"))
            && self.failures.load(SeqCst) > 0
            && Backtrace::force_capture().to_string().contains("run_event")
        {
            self.failures.fetch_sub(1, SeqCst);
            panic!("a bug in a worker");
        }
        self.clock.now()
    }

    async fn sleep_until(&self, time: Millis) {
        self.clock.sleep_until(time).await;
    }
}

const SCRIPT: &str = r#"
function on_message(event)
  store.incr("n")
  event:reply(`{event.text} {store.get("n")}`)
end"#;

async fn daemon(scripts: &[&str]) -> (Store, Arc<Trap>, Arc<Sim>, Engine) {
    let (store, sim) = (Store::in_memory().unwrap(), Sim::new("sim"));
    let trap = Arc::new(Trap { clock: VirtualClock::new(1_000_000), failures: AtomicU32::new(0) });
    let engine = Engine::start(Options {
        store: store.clone(),
        clock: Arc::clone(&trap) as Arc<dyn Clock>,
        entropy: Arc::new(SeededEntropy::new(7)),
        bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
        scripts: scripts.iter().map(|name| script(name, SCRIPT)).collect(),
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: HashMap::new(),
        operators: Operators::default(),
        http: Arc::new(Web::default()),
    })
    .await
    .unwrap();
    (store, trap, sim, engine)
}

fn replies(sim: &Sim) -> Vec<String> {
    let transcript = sim.transcript();
    let mut replies: Vec<_> =
        transcript.lines().iter().filter(|line| line.author == "sim").map(|line| line.text.clone()).collect();
    replies.sort();
    replies
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_a_worker_that_fails_come_back_and_lose_and_repeat_nothing() {
    let (_, trap, sim, engine) = daemon(&["counter", "other"]).await;
    let alice = sim.person("alice", "general");
    alice.says("one").await.unwrap();
    engine.when_idle().await;
    trap.failures.store(1, SeqCst);
    for text in ["two", "three"] {
        alice.says(text).await.unwrap();
    }
    engine.when_idle().await;
    assert_eq!(replies(&sim), ["one 1", "one 1", "three 3", "three 3", "two 2", "two 2"]);
    let status = engine.status();
    assert!(status.scripts.iter().all(|script| script.state == ScriptState::Up));
    assert!(status.threads.iter().all(|thread| thread.alive));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_at_which_the_worker_fails_three_times_goes_to_the_dead_letters() {
    let (store, trap, sim, engine) = daemon(&["counter"]).await;
    let alice = sim.person("alice", "general");
    trap.failures.store(3, SeqCst);
    alice.says("bad").await.unwrap();
    engine.when_idle().await;
    alice.says("good").await.unwrap();
    engine.when_idle().await;
    let letters: Vec<_> = dead_letters(&store.snapshot(0).unwrap()).unwrap().map(|letter| letter.unwrap().1).collect();
    assert!(matches!(&letters[..], [DeadLetter::Event { .. }]), "{letters:?}");
    assert_eq!(replies(&sim), ["good 1"]);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_fail_again_while_its_scripts_come_back() {
    let (_, trap, sim, engine) = daemon(&["counter", "other"]).await;
    let alice = sim.person("alice", "general");
    let mut expected = Vec::new();
    for round in 1..=9 {
        trap.failures.store(2, SeqCst);
        alice.says("again").await.unwrap();
        engine.when_idle().await;
        expected.extend(vec![format!("again {round}"); 2]);
        assert_eq!(replies(&sim), expected);
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_had_nothing_to_do_when_its_worker_failed_hears_on() {
    let (_, trap, sim, engine) = daemon(&["counter"]).await;
    engine.add_script(script("idle", r#"command("idle", function(event) event:reply("heard") end)"#)).await.unwrap();
    let alice = sim.person("alice", "general");
    trap.failures.store(1, SeqCst);
    alice.says("one").await.unwrap();
    engine.when_idle().await;
    for _ in 0..2 {
        alice.says("/idle").await.unwrap();
        engine.when_idle().await;
    }
    assert_eq!(replies(&sim).iter().filter(|text| *text == "heard").count(), 2, "{:?}", replies(&sim));
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_a_failure_of_the_worker_interrupts_are_told_to_on_error() {
    let text = r#"
        function on_message(event)
          if event.text == "wait" then sleep("1h") end
        end
        function on_error(event) event:reply("interrupted") end"#;
    let (_, trap, sim, engine) = daemon(&["counter"]).await;
    engine.add_script(script("sleeper", text)).await.unwrap();
    let alice = sim.person("alice", "general");
    alice.says("wait").await.unwrap();
    engine.quiesce().await;
    trap.failures.store(1, SeqCst);
    alice.says("two").await.unwrap();
    engine.when_idle().await;
    assert!(replies(&sim).contains(&"interrupted".to_owned()), "{:?}", replies(&sim));
    engine.shutdown().await;
}
