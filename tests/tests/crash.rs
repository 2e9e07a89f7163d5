//! Crash test: the daemon is killed at random moments under load, and nothing is lost or repeated.
//!
//! `PALABRE_KILLS=200 cargo test --release -p palabre-tests --test crash -- --nocapture` is the
//! long version.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palabre_engine::stored_values;
use palabre_store::{Direction, Store, Table};
use palabre_tests::{Client, Daemon, Project, eventually};
use palabre_types::TableId;
use rand::RngExt;

const CLIENTS: usize = 4;

const SCRIPT: &str = r#"
function on_message(event)
  local n = store.incr("count")
  store.incr("from:" .. event.user.name)
  event:reply("reply to " .. event.text)
end
"#;

const BOTS: &str = "
server: { requests_per_minute: 100000 }
bots:
  lobby:
    platform: rooms
    rooms: { retention: { keep: ['*'] }, limits: { messages: { burst: 1, per_minute: 0 } } }
scripts:
  counter:
    limits: { actions_per_minute: 1000000, write_mb_per_minute: 1000 }
";

/// The clients' record of messages.
#[derive(Default)]
struct Ledger {
    /// Texts of acknowledged messages by id.
    acknowledged: Mutex<HashMap<String, String>>,
    address: Mutex<String>,
    stop: AtomicBool,
    reconnections: AtomicUsize,
}

/// Posts messages one after another, each with one nonce until it is acknowledged.
async fn chatter(ledger: Arc<Ledger>, name: String) {
    let mut client: Option<Client> = None;
    let mut number = 0;
    while !ledger.stop.load(Relaxed) {
        let text = format!("{name} {number}");
        let nonce = format!("n{number}");
        loop {
            let connected = match client.take() {
                Some(client) => Ok(client),
                None => {
                    ledger.reconnections.fetch_add(1, Relaxed);
                    let address = ledger.address.lock().unwrap().clone();
                    Client::enter(&address, &name, "general").await.map(|(client, _)| client)
                }
            };
            let Ok(mut connected) = connected else {
                // The daemon is down, and the client tries again as a real one does.
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            if let Ok(id) = connected.say(&text, &nonce).await {
                let before = ledger.acknowledged.lock().unwrap().insert(id.clone(), text.clone());
                assert!(before.is_none(), "{id} was acknowledged for two messages: {before:?} and {text}");
                client = Some(connected);
                break;
            }
        }
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_loses_and_repeats_nothing() {
    let kills: usize = std::env::var("PALABRE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let project = Project::new(BOTS, &[("counter.luau", SCRIPT)]);
    let ledger = Arc::new(Ledger::default());
    let (began, mut random) = (Instant::now(), palabre_tests::random());
    let mut daemon = project.start().await;
    ledger.address.lock().unwrap().clone_from(&daemon.address);
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(chatter(Arc::clone(&ledger), format!("client{number}")));
    }
    for _ in 0..kills {
        // The kill comes at a random moment of the load, which runs in real time.
        let pause = random.random_range(0..400);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        daemon.kill().await;
        daemon = project.start().await;
        ledger.address.lock().unwrap().clone_from(&daemon.address);
    }
    ledger.stop.store(true, Relaxed);
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let acknowledged = std::mem::take(&mut *ledger.acknowledged.lock().unwrap());
    wait_for_answers(&daemon, acknowledged.len()).await;
    assert!(daemon.stop().await, "it stops cleanly");

    let store = Store::open(&project.path().join("data")).unwrap();
    let (people, bots) = history(&store);
    let said: HashSet<_> = people.iter().cloned().collect();
    assert_eq!(said.len(), people.len(), "a message is twice in the history");
    let acknowledged: HashSet<_> = acknowledged.values().cloned().collect();
    same(&said, &acknowledged, "the history has the acknowledged messages, each once", &project);
    let answered: HashSet<_> = bots.iter().cloned().collect();
    assert_eq!(answered.len(), bots.len(), "a message was answered twice");
    let expected = people.iter().map(|text| format!("reply to {text}")).collect();
    same(&answered, &expected, "every message was answered once", &project);
    let snapshot = store.snapshot(0).unwrap();
    let values: HashMap<_, _> = stored_values(&snapshot, &"counter".into(), "").unwrap().map(Result::unwrap).collect();
    assert_eq!(
        values["count"],
        serde_json::json!(acknowledged.len()),
        "the script's counter is the number of acknowledged messages"
    );
    drop(snapshot);
    assert!(store.inspect().unwrap().findings.is_empty());
    drop(store);
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains(", 0 dead letters"), "{out}");
    println!(
        "{kills} kills, {} connections, {} messages acknowledged, counted and answered once, in {:.1?}",
        ledger.reconnections.load(Relaxed),
        acknowledged.len(),
        began.elapsed()
    );
}

/// Fails with the missing and the superfluous entries only, which are few.
fn same(found: &HashSet<String>, expected: &HashSet<String>, what: &str, project: &Project) {
    let few = |texts: Vec<&String>| format!("{} ({:?} …)", texts.len(), texts.iter().take(8).collect::<Vec<_>>());
    let (missing, extra) = (expected.difference(found).collect(), found.difference(expected).collect());
    assert!(found == expected, "{what}: missing {}, extra {}\n{}", few(missing), few(extra), project.log());
}

/// Waits until every acknowledged message is answered, but no longer than 30 seconds.
async fn wait_for_answers(daemon: &Daemon, acknowledged: usize) {
    let are_there = async || {
        let count = daemon.get("/api/stats").await["messages"].as_u64().unwrap();
        if count >= 2 * acknowledged as u64 { Ok(()) } else { Err(format!("there are {count}")) }
    };
    let answers = eventually(Duration::MAX, "all answers", are_there);
    // The test itself shows what is missing.
    tokio::time::timeout(Duration::from_secs(30), answers).await.unwrap_or_default();
}

/// Returns the texts of the history, of users and of bots.
fn history(store: &Store) -> (Vec<String>, Vec<String>) {
    const MESSAGES: Table<(String, u64), serde_json::Value> = Table::new(TableId::RoomMessages);
    let snapshot = store.snapshot(0).unwrap();
    let rows = MESSAGES.scan(&snapshot, &"general".to_owned(), Direction::Forward).unwrap();
    let (bots, people): (Vec<_>, Vec<_>) = rows.map(|row| row.unwrap().1).partition(|row| row["bot"] == true);
    let texts =
        |rows: Vec<serde_json::Value>| rows.iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    (texts(people), texts(bots))
}
