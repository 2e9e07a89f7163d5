//! The disk fills up under an engine that runs or starts, and is freed again.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

mod support;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use palabre_engine::{Engine, Operators, Options, Web};
use palabre_platform::{Adapter, EmitError, Entropy, SeededEntropy, VirtualClock};
use palabre_sim::{SendFailure, Sim};
use palabre_store::{Disk, MemoryDisk, Store};
use support::*;
use tokio::sync::watch;

#[derive(Debug, Default)]
struct FillingDisk {
    disk: MemoryDisk,
    full: AtomicBool,
    /// The number of requests that it has refused.
    refusals: watch::Sender<usize>,
}

impl FillingDisk {
    fn room(&self) -> io::Result<()> {
        if !self.full.load(SeqCst) {
            return Ok(());
        }
        self.refusals.send_modify(|count| *count += 1);
        Err(io::ErrorKind::StorageFull.into())
    }
}

impl Disk for FillingDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.room().and_then(|()| self.disk.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.room().and_then(|()| self.disk.sync())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.room().and_then(|()| self.disk.write(offset, data))
    }
}

const COUNTER: &str = r#"function on_message(event) event:reply(event.text .. " " .. store.incr("n")) end"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_while_the_disk_is_full_and_nothing_is_lost_when_there_is_room_again() {
    let disk = Arc::new(FillingDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let harness = Harness::on(store, Sim::new("sim"), vec![script("counter", COUNTER)]).await;
    harness.alice("before").await;

    disk.full.store(true, SeqCst);
    let alice = harness.sim.person("alice", "general");
    let (_, waiting) = alice.say("while it is full").await.unwrap();
    harness.until("the engine notices", |harness| harness.engine.status().stalled.is_some()).await;
    assert!(harness.engine.status().stalled.unwrap().contains("is full"));
    let refused = alice.says("refused").await;
    assert!(matches!(refused, Err(SendFailure::NotTaken(EmitError::Stalled(reason))) if reason.contains("is full")));
    assert_eq!(harness.replies(), ["before 1"], "nothing is sent before its batch is durable");

    disk.full.store(false, SeqCst);
    let sent = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("an answer");
    assert!(sent.is_ok(), "accepted events are saved in the end");
    harness.until("the engine goes on", |harness| harness.engine.status().stalled.is_none()).await;
    // A worker that came to the event too late to read the store tries again later on the clock.
    harness.with_time(harness.engine.when_idle()).await;
    harness.alice("after").await;
    assert_eq!(harness.replies(), ["before 1", "while it is full 2", "after 3"]);
    let Ok(()) = tokio::time::timeout(Duration::from_secs(20), harness.engine.shutdown()).await else {
        panic!("it does not stop")
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_timers_and_twelve_hooks_that_read_while_the_disk_is_full_are_done_when_it_is_not() {
    let text = r#"
        function on_message(event)
          if event.text == "set" then
            for n = 1, 12 do timers.set("due", { after = "10s", key = tostring(n) }, n) end
          else
            event:reply(`{event.text} {store.get("read by " .. event.text, "nothing")}`)
          end
        end
        on_timer("due", function(n) rooms.get("sim/general"):send(`timer {n} {store.get("timer" .. n, "nothing")}`) end)
        function on_error(event) rooms.get("sim/general"):send("error " .. event.error.message) end"#;
    let disk = Arc::new(FillingDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let harness = Harness::on(store, Sim::new("sim"), vec![script("reader", text)]).await;
    harness.alice("set").await;

    disk.full.store(true, SeqCst);
    let alice = harness.sim.person("alice", "general");
    let mut waiting = Vec::new();
    for n in 0..12 {
        waiting.push(alice.say(&format!("hook {n}")).await.unwrap().1);
    }
    harness.until("the engine notices", |harness| harness.engine.status().stalled.is_some()).await;
    harness.advance(Duration::from_secs(60)).await;
    assert_eq!(harness.replies(), [""; 0]);

    disk.full.store(false, SeqCst);
    harness.until("the engine goes on", |harness| harness.engine.status().stalled.is_none()).await;
    harness.until("everything is done", |harness| harness.replies().len() >= 24).await;
    let replies = harness.replies();
    for n in 1..=12 {
        assert!(replies.contains(&format!("timer {n} nothing")), "timer {n}: {replies:?}");
        assert!(replies.contains(&format!("hook {} nothing", n - 1)), "hook {}: {replies:?}", n - 1);
    }
    assert_eq!(replies.len(), 24, "each once, and no error: {replies:?}");
    let status = harness.engine.status();
    assert_eq!(
        (status.scripts[0].state, status.scripts[0].last_error.clone()),
        (palabre_engine::ScriptState::Up, None)
    );
    for receipt in waiting {
        receipt.await.unwrap();
    }
    harness.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_a_full_disk_waits_and_goes_on_when_there_is_space() {
    let disk = Arc::new(FillingDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let harness = Harness::on(store, Sim::new("sim"), vec![script("counter", COUNTER)]).await;
    harness.alice("before").await;
    let Harness { store, sim, clock, engine, .. } = harness;
    engine.shutdown().await;

    disk.full.store(true, SeqCst);
    let freeing = async {
        let mut refusals = disk.refusals.subscribe();
        drop(refusals.wait_for(|count| *count > 0).await.unwrap());
        disk.full.store(false, SeqCst);
    };
    let starting = Harness::at(store, sim, clock, vec![script("counter", COUNTER)]);
    let (harness, ()) = tokio::join!(starting, freeing);
    harness.alice("after").await;
    assert_eq!(harness.replies(), ["before 1", "after 2"]);
    harness.engine.shutdown().await;
}

/// Randomness that fills a disk when it is used first: for the first script, after the commits of the start.
struct FillsTheDisk {
    disk: Arc<FillingDisk>,
    is_first: AtomicBool,
    entropy: SeededEntropy,
}

impl Entropy for FillsTheDisk {
    fn next(&self) -> u64 {
        if self.is_first.swap(false, SeqCst) {
            self.disk.full.store(true, SeqCst);
        }
        self.entropy.next()
    }
}

/// Returns a disk as a kill leaves it, with one event that its script has not handled.
async fn left_with_an_event() -> Arc<FillingDisk> {
    let disk = Arc::new(FillingDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let text = "function on_message(event) error('always') end";
    let harness = Harness::on(store, Sim::new("sim"), vec![script("counter", text)]).await;
    for _ in 0..10 {
        harness.alice("bad").await;
    }
    // The script is suspended now, and the clock stands still.
    harness.sim.person("alice", "general").says("left").await.unwrap();
    let disk = MemoryDisk::with_content(disk.disk.content());
    harness.engine.shutdown().await;
    Arc::new(FillingDisk { disk, ..FillingDisk::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_during_which_the_disk_fills_up_goes_on_and_what_was_left_is_done_once_there_is_space() {
    let disk = left_with_an_event().await;
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let (sim, clock) = (Sim::new("sim"), VirtualClock::new(1_000_000));
    let (is_first, entropy) = (AtomicBool::new(true), SeededEntropy::new(7));
    let starting = Engine::start(Options {
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(FillsTheDisk { disk: Arc::clone(&disk), is_first, entropy }),
        bots: vec![(sim.bot(), Arc::clone(&sim) as Arc<dyn Adapter>)],
        scripts: vec![script("counter", COUNTER)],
        workers: 1,
        journal_retention: Duration::from_secs(86_400),
        settings: HashMap::new(),
        operators: Operators::default(),
        http: Arc::new(Web::default()),
    });
    let started = tokio::time::timeout(Duration::from_secs(20), starting).await;
    let engine = started.expect("it does not wait for the disk").unwrap();
    let harness = Harness { rebuilt: Rebuilt::of(&store), store, clock, sim, engine };
    harness.until("the engine notices", |harness| harness.engine.status().stalled.is_some()).await;
    assert_eq!(harness.replies(), [""; 0]);

    disk.full.store(false, SeqCst);
    harness.with_time(harness.engine.when_idle()).await;
    harness.alice("after").await;
    assert_eq!(harness.replies(), ["left 1", "after 2"]);
    harness.engine.shutdown().await;
}

/// A disk that is full for one sync in forty, until it is steady.
#[derive(Debug, Default)]
struct StutteringDisk {
    disk: MemoryDisk,
    syncs: AtomicU64,
    is_steady: AtomicBool,
}

impl Disk for StutteringDisk {
    fn size(&self) -> io::Result<u64> {
        self.disk.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let is_refused = self.syncs.fetch_add(1, SeqCst) % 40 == 39 && !self.is_steady.load(SeqCst);
        if is_refused { Err(io::ErrorKind::StorageFull.into()) } else { self.disk.sync() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write(offset, data)
    }
}

/// The writes of a resumed run move no cursor: only the order of the batches protects them.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_never_overwrites_what_came_after_it() {
    let text = r#"function on_message(event)
        if event.text == "count" then event:reply(tostring(store.get("n"))) return end
        sleep(0)
        store.incr("n")
    end"#;
    let disk = Arc::new(StutteringDisk::default());
    let store = Store::on_disk(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
    let harness = Harness::on(store, Sim::new("sim"), vec![script("counter", text)]).await;
    let alice = harness.sim.person("alice", "general");
    let mut taken = 0;
    for _ in 0..200 {
        match alice.says("one").await {
            Ok(_) => taken += 1,
            // The engine retries a refused batch in real time.
            Err(_stalled) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        // A script that could not read the store tries again half a second later on the clock.
        harness.clock.advance(Duration::from_millis(100));
    }
    disk.is_steady.store(true, SeqCst);
    // Runs may still wait for their wake-up, or for the store.
    harness.with_time(harness.engine.quiesce()).await;
    assert_eq!(harness.engine.status().stalled, None);
    // The durable value, not the one that the running daemon has in memory.
    let harness = harness.restart(vec![script("counter", text)]).await;
    harness.alice("count").await;
    assert_eq!(harness.replies(), [taken.to_string()]);
}
