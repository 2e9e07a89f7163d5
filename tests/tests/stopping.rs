//! Clean shutdown: the daemon closes its store even while clients are connected.
//!
//! The next start need not repair the store.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use palabre_store::{Direction, Store, Table};
use palabre_tests::{Client, Project};
use palabre_types::{Batch, TableId};
use tokio::net::TcpStream;

const BOTS: &str = "bots: { lobby: { platform: rooms } }";
const ECHO: &str = r#"
function on_message(event)
  if event.text == "wait" then sleep("1h") end
  event:reply("heard " .. event.text)
end"#;
const REPAIRED: &str = "the store was not closed properly";

fn project() -> Project {
    Project::new(BOTS, &[("echo.luau", ECHO)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_with_clients_connected_leaves_a_store_that_needs_no_repair() {
    let project = project();
    for round in 0..3 {
        let daemon = project.start().await;
        let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
        client.say("hello", &round.to_string()).await.unwrap();
        client.hears("heard hello").await.unwrap();
        client.say("wait", &format!("wait {round}")).await.unwrap();
        // One client that sends nothing, and one that has entered and stays.
        let silent = TcpStream::connect(&daemon.address).await.unwrap();
        assert!(daemon.stop().await, "{}", project.log());
        drop((client, silent));
        assert!(!project.log().contains(REPAIRED), "{}", project.log());
        let store = Store::open(&project.path().join("data")).unwrap();
        assert!(!store.was_repaired());
    }
}

/// Answers slowly, and says goodbye. An edit begins only once the message before it is durable.
const SLOW: &str = r#"
function on_message(event)
  local n = 0
  for i = 1, 2000000 do n += i end
  event:reply("hearing " .. event.text):edit("heard " .. event.text)
end
function on_unload() rooms.get("lobby/general"):send("goodbye"):edit("good night") end"#;

/// Returns the messages of bots in the room general.
fn said_by_bots(project: &Project) -> Vec<String> {
    const MESSAGES: Table<(String, u64), serde_json::Value> = Table::new(TableId::RoomMessages);
    let store = Store::open(&project.path().join("data")).unwrap();
    let snapshot = store.snapshot(0).unwrap();
    let rows = MESSAGES.scan(&snapshot, &"general".to_owned(), Direction::Forward).unwrap().map(|row| row.unwrap().1);
    let said = rows.filter(|row| row["bot"] == true).map(|row| row["text"].as_str().unwrap().to_owned());
    said.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_scripts_ask_of_rooms_during_a_stop_is_done_before_it_ends_and_not_once_more() {
    let settings = "scripts: { slow: { grants: [rooms], limits: { cpu_ms: 10000 } } }";
    let project = Project::new(&format!("{BOTS}\n{settings}\n"), &[("slow.luau", SLOW)]);
    let daemon = project.start().await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    let mut expected = Vec::new();
    for number in 0..5 {
        client.say(&number.to_string(), &format!("n{number}")).await.unwrap();
        expected.push(format!("heard {number}"));
    }
    assert!(daemon.stop().await, "{}", project.log());
    expected.push("good night".to_owned());
    assert_eq!(said_by_bots(&project), expected, "{}", project.log());

    let daemon = project.start().await;
    let (_, joined) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let shown = joined["messages"].as_array().unwrap().iter().filter(|message| message["bot"] == true);
    let shown: Vec<_> = shown.map(|message| message["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(shown, expected);
    assert!(daemon.stop().await, "{}", project.log());
    expected.push("good night".to_owned());
    assert_eq!(said_by_bots(&project), expected, "nothing is done once more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_is_repaired_once_and_a_stop_right_after_the_start_is_in_order() {
    let project = project();
    let daemon = project.start().await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    client.say("hello", "1").await.unwrap();
    client.hears("heard hello").await.unwrap();
    daemon.kill().await;

    let daemon = project.start().await;
    assert_eq!(project.log().matches(REPAIRED).count(), 1, "{}", project.log());
    assert!(daemon.stop().await);
    let daemon = project.start().await;
    assert!(daemon.stop().await);
    assert_eq!(project.log().matches(REPAIRED).count(), 1, "{}", project.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_ends_the_daemon_with_its_own_code_and_a_word() {
    let project = project();
    let daemon = project.start().await;
    assert!(daemon.stop().await);
    let path = project.path().join("data/palabre.redb");
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[1_024..length].iter_mut().step_by(97).for_each(|byte| *byte ^= 0x5A);
    std::fs::write(&path, bytes).unwrap();

    let (code, _, err) = project.run(&["run", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(65), "{err}");
    assert!(err.contains("damaged") && err.contains("backup"), "{err}");
    let (code, out, err) = project.run(&["check"]);
    assert_eq!(code, Some(65), "{out}{err}");
}

/// Memory used to open a store that was not closed cleanly is freed again.
#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn a_kill_leaves_the_next_start_no_more_memory_than_a_stop_does() {
    const NOTES: Table<(String, u64), String> = Table::new(TableId::RoomMessages);
    let mut project = project();
    project.writes_rows();
    assert!(project.start().await.stop().await);
    let data = project.path().join("data");
    let store = Store::open(&data).unwrap();
    for round in 0..100 {
        let mut batch = Batch::default();
        for number in 0..500 {
            NOTES.put(&mut batch, &("a room of long ago".to_owned(), round * 500 + number), &"x".repeat(2_000));
        }
        store.commit(batch).await.unwrap();
    }
    // The state after a kill: committed data without a clean close.
    let left = std::fs::read(data.join("palabre.redb")).unwrap();
    store.close();
    std::fs::write(data.join("palabre.redb"), left).unwrap();

    let resident = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let killed = project.start().await;
    assert!(project.log().contains(REPAIRED), "{}", project.log());
    let after_a_kill = resident(killed.pid());
    assert!(killed.stop().await);
    let stopped = project.start().await;
    let after_a_stop = resident(stopped.pid());
    assert!(stopped.stop().await);
    assert!(after_a_kill < after_a_stop + 16_384, "{after_a_kill} KiB after a kill, {after_a_stop} KiB after a stop");
}
