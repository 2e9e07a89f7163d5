//! An event that crashes the daemon three times is given up, and no other one is.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::time::{Duration, Instant};

use palabre_engine::{DeadLetter, dead_letters};
use palabre_store::Store;
use palabre_tests::{Client, Daemon, Project};

const BOTS: &str = "
bots:
  lobby:
    platform: rooms
scripts:
  fragile:
    limits: { cpu_ms: 600000 }
";

/// Simulates whatever kills a process: a fault in native code, the kernel's out-of-memory killer.
const FRAGILE: &str = r#"
function on_message(event)
  if event.text == "poison" then
    log.info("swallowed poison")
    while true do end
  end
  if event.text == "slow" then
    for _ = 1, 10000000 do end
  end
  event:reply("fragile heard " .. event.text)
end"#;

const STURDY: &str = r#"function on_message(event) event:reply("sturdy heard " .. event.text) end"#;

/// Kills the daemon whenever it handles the poison event, until it gives the event up.
///
/// Returns the last daemon. That is the fourth, or the fifth if the first crash recorded an event
/// before the poison event as done: attempts count from the same cursor.
async fn killed_until_given_up(project: &Project, mut daemon: Daemon) -> Daemon {
    for crash in 1..=4 {
        let began = Instant::now();
        while project.log().matches("swallowed poison").count() < crash {
            if project.log().contains("given up") {
                return daemon;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "crash {crash}: never started\n{}", project.log());
        }
        daemon.kill().await;
        daemon = project.start().await;
    }
    daemon
}

#[tokio::test(flavor = "multi_thread")]
async fn events_queued_before_a_poison_event_are_not_lost() {
    let project = Project::new(BOTS, &[("fragile.luau", FRAGILE)]);
    let daemon = project.start().await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    // The poison event is in one batch with its predecessors, so that neither is recorded as done
    // when the daemon crashes.
    for (number, text) in ["slow", "before", "poison", "after"].into_iter().enumerate() {
        client.say(text, &number.to_string()).await.unwrap();
    }
    let daemon = killed_until_given_up(&project, daemon).await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    client.say("at last", "9").await.unwrap();
    client.hears("fragile heard at last").await.unwrap();
    let attempts = project.log().matches("swallowed poison").count();
    assert!(matches!(attempts, 3 | 4), "{}", project.log());
    let (_, joined) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let messages = joined["messages"].as_array().unwrap().iter();
    let heard: Vec<_> =
        messages.filter_map(|message| message["message"].as_str()?.strip_prefix("fragile heard ")).collect();
    assert_eq!(heard, ["slow", "before", "after", "at last"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_brings_the_daemon_down_three_times_goes_to_the_dead_letters() {
    let project = Project::new(BOTS, &[("fragile.luau", FRAGILE), ("sturdy.luau", STURDY)]);
    let daemon = project.start().await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    for (number, text) in ["before", "poison", "after"].into_iter().enumerate() {
        client.say(text, &number.to_string()).await.unwrap();
        client.hears(&format!("sturdy heard {text}")).await.unwrap();
    }
    let daemon = killed_until_given_up(&project, daemon).await;
    let (mut client, _) = Client::enter(&daemon.address, "alice", "general").await.unwrap();
    client.say("at last", "9").await.unwrap();
    client.hears("fragile heard at last").await.unwrap();
    let (_, joined) = Client::enter(&daemon.address, "bob", "general").await.unwrap();
    let heard = |text: &str| {
        let messages = joined["messages"].as_array().unwrap();
        messages.iter().filter(|message| message["message"] == format!("fragile heard {text}")).count()
    };
    assert_eq!((heard("before"), heard("poison"), heard("after")), (1, 0, 1));
    let attempts = project.log().matches("swallowed poison").count();
    assert!(matches!(attempts, 3 | 4), "{}", project.log());
    assert!(daemon.stop().await);
    let store = Store::open(&project.path().join("data")).unwrap();
    let letters: Vec<_> = dead_letters(&store.snapshot(0).unwrap()).unwrap().map(|letter| letter.unwrap().1).collect();
    assert!(matches!(&letters[..], [DeadLetter::Event { script, .. }] if script.as_str() == "fragile"), "{letters:?}");
}
