//! A daemon that is asked to stop closes its store in order, whoever is connected: the next start need not repair it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on says so")]

use palabre_store::Store;
use palabre_tests::{Client, Project};
use tokio::net::TcpStream;

const BOTS: &str = "bots: { lobby: { platform: rooms } }";
const ECHO: &str = r#"
function on_message(event)
  if event.text == "wait" then sleep("1h") end
  event:reply("heard " .. event.text)
end"#;
const REPAIRED: &str = "the store was not closed in order";

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
        // One that says nothing, and one that has come in and stays.
        let silent = TcpStream::connect(&daemon.address).await.unwrap();
        assert!(daemon.stop().await, "{}", project.log());
        drop((client, silent));
        assert!(!project.log().contains(REPAIRED), "{}", project.log());
        let store = Store::open(&project.path().join("data")).unwrap();
        assert!(!store.was_repaired());
    }
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
