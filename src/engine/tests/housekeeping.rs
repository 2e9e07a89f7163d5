//! Expired data is removed as fast as it expires, and counts and numbers stay right.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire;
use std::time::Duration;

use palabre_engine::{Engine, Operators, Options, ScriptSetup, Web, journal, stored_version};
use palabre_platform::{Adapter, SeededEntropy, VirtualClock};
use palabre_script::Source;
use palabre_sim::Sim;
use palabre_store::{Disk, MemoryDisk, Store, Table};
use palabre_types::{Batch, Limits, TableId};
use serde_json::json;
use support::{Harness, Rebuilt, script};

const ECHO: &str = "function on_message(event) event:reply('heard ' .. event.text) end";

/// Starts an engine that keeps nothing of the journal that is not needed.
async fn forgetful(store: Store, sim: Arc<Sim>, clock: VirtualClock, scripts: Vec<ScriptSetup>) -> Harness {
    let engine = Engine::start(Options {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(7)),
        bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
        scripts,
        workers: 2,
        journal_retention: Duration::ZERO,
        settings: HashMap::new(),
        operators: Operators::default(),
        http: Arc::new(Web::default()),
    })
    .await
    .unwrap();
    Harness { rebuilt: Rebuilt::of(&store), store, clock, sim, engine }
}

/// Batches that housekeeping itself writes: a reading of the clock, expired rows, the trim of the journal.
const OWN_BATCHES_MAX: usize = 3;

fn batches(harness: &Harness) -> usize {
    journal(&harness.store.snapshot(0).unwrap()).unwrap().count()
}

/// Returns the disk as a daemon that is killed now would leave it.
fn killed(disk: &MemoryDisk) -> Arc<MemoryDisk> {
    Arc::new(MemoryDisk::with_content(disk.content()))
}

async fn numbers_go_on(quiet: Duration) {
    let mut disk = Arc::new(MemoryDisk::default());
    let (sim, clock) = (Sim::new("sim"), VirtualClock::new(1_000_000));
    for text in ["one", "two", "three"] {
        let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
        let harness = forgetful(store, Arc::clone(&sim), clock.clone(), vec![script("echo", ECHO)]).await;
        harness.alice(text).await;
        let heard = format!("heard {text}");
        harness.until("an answer", |harness| harness.replies().contains(&heard)).await;
        harness.clock.advance(quiet);
        harness.advance(Duration::from_secs(65)).await;
        harness.until("the old batches are gone", |harness| batches(harness) <= OWN_BATCHES_MAX).await;
        disk = killed(&disk);
        harness.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_is_answered_after_two_quiet_minutes_with_journal_days_0_and_a_kill() {
    numbers_go_on(Duration::from_secs(125)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_is_answered_after_a_quiet_hour_and_a_kill() {
    numbers_go_on(Duration::from_secs(3_605)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_is_removed_as_fast_as_it_ends_after_a_long_downtime_too() {
    let values = Table::<(String, String), u64>::new(TableId::ScriptValues);
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::default();
    for n in 0..25_000_u64 {
        values.put_until(&mut batch, &("echo".to_owned(), n.to_string()), &n, Some(900_000 + n % 1_000));
    }
    store.commit(batch).await.unwrap();
    let clock = VirtualClock::new(1_000_000);
    let harness = forgetful(store, Sim::new("sim"), clock, vec![script("echo", ECHO)]).await;
    for n in 0..1_300 {
        harness.sim.person("alice", "general").says(&n.to_string()).await.unwrap();
    }
    harness.engine.when_idle().await;
    let usage = harness.store.stored_bytes("echo").unwrap();
    assert!(batches(&harness) > 1_000 && usage.load(Acquire) > 0);

    // One minute for the values, one more for the batches: only then are they known to be unneeded.
    harness.advance(Duration::from_secs(125)).await;
    let is_clean = |harness: &Harness| {
        let snapshot = harness.store.snapshot(0).unwrap();
        batches(harness) <= OWN_BATCHES_MAX && snapshot.len(TableId::ScriptValues).unwrap() == 0
    };
    harness.until("all of it is gone", is_clean).await;
    assert_eq!(usage.load(Acquire), 0);
    harness.alice("still there").await;
    assert!(harness.replies().contains(&"heard still there".to_owned()));
}

const KEEPER: &str = r#"function on_message(event)
    local batch = event.text:match("^fill (%d+)$")
    if batch then
      for n = 1, 100 do store.set(`k{batch}-{n}`, string.rep("x", 900), { ttl = "5s" }) end
    elseif event.text == "more" then
      store.set("more", string.rep("x", 200000))
      event:reply("stored")
    end
  end"#;

async fn filled() -> Harness {
    let limits = Limits { storage_mb: 1, ..Limits::default() };
    let keeper = ScriptSetup { limits, ..script("keeper", KEEPER) };
    let harness = Harness::new(vec![keeper]).await;
    for batch in 1..=11 {
        harness.alice(&format!("fill {batch}")).await;
    }
    harness.alice("more").await;
    assert!(harness.replies().is_empty(), "there is no room for it: {:?}", harness.replies());
    harness
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_is_given_back_when_what_was_stored_has_expired() {
    let harness = filled().await;
    for _ in 0..50 {
        harness.advance(Duration::from_secs(130)).await;
        harness.alice("more").await;
        if !harness.replies().is_empty() {
            break;
        }
    }
    assert_eq!(harness.replies(), ["stored"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn storage_is_given_back_when_it_expires_while_the_daemon_is_down() {
    let harness = filled().await;
    harness.clock.advance(Duration::from_secs(3_000));
    let limits = Limits { storage_mb: 1, ..Limits::default() };
    let harness = harness.restart(vec![ScriptSetup { limits, ..script("keeper", KEEPER) }]).await;
    // The sweep runs in a task of its own, which may take a moment.
    for _ in 0..50 {
        harness.advance(Duration::from_secs(70)).await;
        harness.alice("more").await;
        if !harness.replies().is_empty() {
            break;
        }
    }
    assert_eq!(harness.replies(), ["stored"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_has_stored_is_counted_right_over_writes_deletes_and_restarts() {
    let text = r#"function on_message(event)
        local n = tonumber(event.text)
        for i = 1, n do store.set("k" .. i, string.rep("x", i), if i % 3 == 0 then { ttl = "1s" } else nil) end
        for i = 1, n, 2 do store.delete("k" .. i) end
        for i = 1, n, 5 do store.set("k" .. i, i) end
      end"#;
    let scripts = || vec![script("keeper", text)];
    let mut harness = Harness::new(scripts()).await;
    for round in 0..3 {
        for n in ["50", "300", "120"] {
            harness.alice(n).await;
        }
        if round == 1 {
            harness.advance(Duration::from_secs(65)).await;
        }
        harness = harness.restart(scripts()).await;
        let found = harness.store.inspect().unwrap().findings;
        assert!(found.is_empty(), "{found:?}");
        assert!(harness.store.stored_bytes("keeper").unwrap().load(Acquire) > 0);
    }
}

/// Returns the text of the nth version of a script.
fn edited(n: usize) -> String {
    format!(
        "function on_message(event)
           if event.text == 'wait' then sleep('30m') end
           event:reply('heard by {n}')
         end"
    )
}

/// Returns the numbers of stored versions, files of scripts and values of the installation.
fn stored(harness: &Harness) -> [u64; 3] {
    let snapshot = harness.store.snapshot(0).unwrap();
    [TableId::ScriptVersions, TableId::ScriptSources, TableId::Installation].map(|table| snapshot.len(table).unwrap())
}

fn assert_all_mentioned_versions_are_stored(harness: &Harness) {
    let snapshot = harness.store.snapshot(0).unwrap();
    for row in journal(&snapshot).unwrap() {
        let (number, batch) = row.unwrap();
        for script in batch.scripts.iter().filter(|script| !script.version.is_empty()) {
            let found = stored_version(&snapshot, &script.name, &script.version).unwrap();
            assert!(found.is_some(), "batch {number} mentions {script:?}");
        }
    }
}

async fn edit(harness: &Harness, n: usize) {
    let source = Source::from_text("edited", &edited(n));
    harness.engine.reload_configured(source, json!({ "n": n })).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_the_journal_does_not_mention_are_removed_with_all_that_only_they_have() {
    let (store, clock) = (Store::in_memory().unwrap(), VirtualClock::new(1_000_000));
    let harness = forgetful(store, Sim::new("sim"), clock, vec![script("edited", &edited(0))]).await;
    harness.alice("x").await;
    let one = stored(&harness);
    // More than one round removes.
    for n in 1..=250 {
        edit(&harness, n).await;
    }
    harness.alice("y").await;
    assert_all_mentioned_versions_are_stored(&harness);
    harness.until("only the active version is left", |harness| stored(harness) == one).await;
    assert_all_mentioned_versions_are_stored(&harness);
    // One of those that were removed.
    edit(&harness, 7).await;
    harness.alice("z").await;
    assert_eq!(harness.replies(), ["heard by 0", "heard by 250", "heard by 7"]);
    assert_all_mentioned_versions_are_stored(&harness);
    assert_eq!(stored(&harness)[0], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_version_stays_until_the_last_run_of_it_has_ended() {
    let (store, clock) = (Store::in_memory().unwrap(), VirtualClock::new(1_000_000));
    let harness = forgetful(store, Sim::new("sim"), clock, vec![script("edited", &edited(0))]).await;
    harness.alice("wait").await;
    edit(&harness, 1).await;
    harness.alice("x").await;
    harness.advance(Duration::from_secs(600)).await;
    assert_eq!(stored(&harness)[0], 2, "a run of the first version waits");
    harness.until("it goes on", |harness| harness.replies().contains(&"heard by 0".to_owned())).await;
    assert_all_mentioned_versions_are_stored(&harness);
    harness.until("only the active version is left", |harness| stored(harness)[0] == 1).await;
    assert_all_mentioned_versions_are_stored(&harness);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_the_journal_mentions_stay() {
    let harness = Harness::new(vec![script("edited", &edited(0))]).await;
    harness.alice("x").await;
    edit(&harness, 1).await;
    harness.alice("y").await;
    let harness = harness.restart(vec![script("edited", &edited(2))]).await;
    harness.alice("z").await;
    harness.advance(Duration::from_secs(300)).await;
    assert_eq!(stored(&harness)[..2], [3, 3]);
    assert_all_mentioned_versions_are_stored(&harness);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_daemons_that_were_killed_are_removed_too() {
    let mut disk = Arc::new(MemoryDisk::default());
    let (sim, clock) = (Sim::new("sim"), VirtualClock::new(1_000_000));
    for n in 0..3 {
        let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
        let scripts = vec![script("edited", &edited(n))];
        let harness = forgetful(store, Arc::clone(&sim), clock.clone(), scripts).await;
        harness.alice("x").await;
        assert_all_mentioned_versions_are_stored(&harness);
        harness.until("only the active version is left", |harness| stored(harness)[..2] == [1, 1]).await;
        disk = killed(&disk);
        harness.engine.shutdown().await;
    }
}
