//! Tokens on Telegram: used by another process, refused, and never logged.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot continue panics")]

use std::sync::Arc;

use palabre_tests::Project;
use palabre_tests::telegram::{Fault, Limits, Options, StandIn};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const SECRET: &str = "AAH-not_for-others";
const ECHO: &str = "function on_message(event) event:reply(\"heard: \" .. event.text) end";

async fn telegram() -> Option<StandIn> {
    let token = format!("123456789:{SECRET}");
    StandIn::start_with(Options { limits: Limits::none(), token, ..Options::default() }).await
}

fn bots(telegram: &StandIn, more: &str) -> String {
    let (api, token) = (telegram.api(), telegram.token());
    let settings = "{ pace: { per_second: 1000, per_second_in_chat: 1000, per_minute_in_group: 10000 } }";
    format!("bots:\n  tg: {{ platform: telegram, token: \"{token}\", api: \"{api}\", telegram: {settings} }}\n{more}")
}

/// Another program with the same token, which polls for updates continuously.
async fn rival(telegram: StandIn, asked: Arc<Notify>) {
    let client = reqwest::Client::new();
    let url = format!("{}/bot{}/getUpdates", telegram.api(), telegram.token());
    loop {
        asked.notify_one();
        drop(client.post(&url).json(&json!({ "timeout": 20, "limit": 1 })).send().await.unwrap().bytes().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_token_is_reported_and_the_bot_recovers() {
    let Some(telegram) = telegram().await else { return };
    let _first = rustls::crypto::ring::default_provider().install_default();
    let script = r#"
function on_lost(event) store.set("lost", event.reason) end
function on_ready(event) if event.reason then store.set("back", event.reason) end end
function on_message(event) event:reply(`{store.get("lost")}; {store.get("back")}`) end
"#;
    let project = Project::new(&bots(&telegram, ""), &[("echo.luau", script)]);
    let daemon = project.start().await;
    telegram.counts("the bot asks", |counters| counters.calls.contains_key("getUpdates")).await;
    let (asked, mut rivals) = (Arc::new(Notify::new()), JoinSet::new());
    rivals.spawn(rival(telegram.clone(), Arc::clone(&asked)));
    asked.notified().await;
    telegram.counts("they end each other's requests", |counters| counters.conflicts >= 2).await;
    rivals.shutdown().await;
    telegram.says("alice", "Village", "hello");
    let said = telegram.hears("Village", "another process receives with this bot's token").await;
    assert!(said.text().ends_with("; resumed"), "{}", said.text());
    let log = project.log();
    let told = log
        .lines()
        .any(|line| line.contains("WARN") && line.contains("another process receives with this bot's token; stop it"));
    assert!(told, "{log}");
    assert!(daemon.stop().await, "{}", project.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_stops_its_bot_alone() {
    let Some(telegram) = telegram().await else { return };
    let gone = format!("{{ platform: telegram, token: \"987654321:{SECRET}\", api: \"{}\" }}", telegram.api());
    let other = format!("  gone: {gone}\n  lobby: {{ platform: rooms }}\n");
    let project = Project::new(&bots(&telegram, &other), &[("echo.luau", ECHO)]);
    let daemon = project.start().await;
    telegram.says("alice", "Village", "one");
    telegram.hears("Village", "heard: one").await;
    let (mut carol, _) = palabre_tests::Client::enter(&daemon.address, "carol", "general").await.unwrap();
    carol.say("two", "n1").await.unwrap();
    carol.hears("heard: two").await.unwrap();
    assert!(daemon.stop().await, "{}", project.log());
    let log = project.log();
    let refusals = log.lines().filter(|line| line.contains("Telegram refuses the token")).collect::<Vec<_>>();
    assert_eq!(refusals.len(), 1, "it is said once, and not tried again: {log}");
    assert!(refusals[0].contains("ERROR") && refusals[0].contains("gone"), "{}", refusals[0]);
    assert!(!log.contains(SECRET), "{log}");
}

/// The log reports requests, faults and stops, but contains neither the token nor any part of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_nowhere_in_the_log() {
    let Some(telegram) = telegram().await else { return };
    let script = r#"
function on_message(event) event:reply{ text = "heard: " .. event.text, files = { { name = "a.txt", data = "a" } } } end
function on_error(event) log.error(event.error.message) end
"#;
    let bots = bots(&telegram, "scripts:\n  echo: { grants: [files] }\n");
    let project = Project::new(&bots, &[("echo.luau", script)]);
    let daemon = project.start_with(&[("PALABRE_LOG", "debug")]).await;
    for (number, fault) in Fault::ALL.into_iter().enumerate() {
        for method in ["getUpdates", "sendDocument"] {
            telegram.fault_next(method, fault);
        }
        telegram.cut();
        telegram.says("alice", "Village", &number.to_string());
        telegram.hears("Village", &format!("heard: {number}")).await;
    }
    assert!(daemon.stop().await);
    // A token that Telegram refuses.
    std::fs::write(project.path().join("bots.yaml"), bots.replace("123456789", "987654321")).unwrap();
    let (code, checked, problems) = project.run(&["check", "--online"]);
    assert!(code != Some(0) && format!("{checked}{problems}").contains("refuses the token"), "{checked}{problems}");
    let log = project.log();
    assert!(log.contains("DEBUG"), "nothing was said at that level: {log}");
    for (what, text) in [("the log", &log), ("the check", &checked), ("the check's problems", &problems)] {
        assert!(!text.contains(SECRET) && !text.contains("123456789%3A"), "{what} shows the token: {text}");
    }
}
